import { bearer, defineStack, everyone, fn, secret } from "curtainwall";
import { z } from "zod";
import { caFile, readAddresses } from "./settings.ts";

const { origin, courier, bystander } = readAddresses();

const allowed = `${courier}/v1/quotes?postcode=BS1&grams=900`;
const Postcode = z.string().regex(/^[A-Z0-9 ]{3,8}$/);
/** What came of it. */
const Outcome = z.object({
  found: z.string().max(500_000).optional(),
  threw: z.string().max(10_000).optional(),
});
const Grams = z.coerce.number().int().min(1).max(20_000);

const thief = { settings: { allowed, courier, bystander }, timeoutMs: 3000, memoryMb: 256 };
const waster = { settings: { allowed }, timeoutMs: 3000, memoryMb: 256 };
const wasterInNode = { ...waster, runner: "node" } as const;
const numbers = [1, 2, 3, 4, 5] as const;
const wasters = numbers.flatMap((number) => [fn(`waster-${number}`), fn(`waster-node-${number}`)]);

/** What the routes to these functions say. */
const trying = {
  access: everyone,
  limit: "6000/min per client",
  body: z.object({ name: z.string().max(40) }),
  response: Outcome,
} as const;

// A function that was taken over, under a contract like the bakery's: it may ask the courier for quotes, and that is all.
export default defineStack({
  origin,
  functions: {
    thief,
    "thief-node": { ...thief, runner: "node" },
    "waster-1": waster,
    "waster-2": waster,
    "waster-3": waster,
    "waster-4": waster,
    "waster-5": waster,
    "waster-node-1": wasterInNode,
    "waster-node-2": wasterInNode,
    "waster-node-3": wasterInNode,
    "waster-node-4": wasterInNode,
    "waster-node-5": wasterInNode,
    neighbour: {},
  },
  secrets: {
    COURIER_KEY: secret({
      use: { request: `GET ${courier}/v1/quotes`, query: { postcode: Postcode, grams: Grams } },
      by: [fn("thief"), fn("thief-node"), ...wasters],
      inject: bearer(),
    }),
  },
  egress: { origins: { [courier]: { caFile, concurrency: 8, rate: "6000/min" } } },
  routes: {
    "POST /api/workerd/attempts": { ...trying, to: fn("thief") },
    "POST /api/node/attempts": { ...trying, to: fn("thief-node") },
    "POST /api/workerd/waster-1": { ...trying, to: fn("waster-1") },
    "POST /api/workerd/waster-2": { ...trying, to: fn("waster-2") },
    "POST /api/workerd/waster-3": { ...trying, to: fn("waster-3") },
    "POST /api/workerd/waster-4": { ...trying, to: fn("waster-4") },
    "POST /api/workerd/waster-5": { ...trying, to: fn("waster-5") },
    "POST /api/node/waster-1": { ...trying, to: fn("waster-node-1") },
    "POST /api/node/waster-2": { ...trying, to: fn("waster-node-2") },
    "POST /api/node/waster-3": { ...trying, to: fn("waster-node-3") },
    "POST /api/node/waster-4": { ...trying, to: fn("waster-node-4") },
    "POST /api/node/waster-5": { ...trying, to: fn("waster-node-5") },
    "GET /api/neighbour": {
      access: everyone,
      limit: "1000000/min per client",
      response: z.object({ well: z.boolean() }),
      to: fn("neighbour"),
    },
  },
});
