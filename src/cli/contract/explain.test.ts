import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import type { SpawnSyncReturns } from "node:child_process";
import { test } from "node:test";
import { z } from "zod";
import { command } from "../../../test/support/command.ts";
import { makeProject } from "../../../test/support/project.ts";

const config = `import { allOf, check, defineStack, none, ownerLookup, upstream } from "curtainwall";
import { z } from "zod";
export default defineStack({
  origin: "https://localhost:8443",
  identity: { issuer: "https://login.bakery.test/", audience: "shop" },
  upstreams: { shop: upstream({ url: "https://shop.bakery.test" }) },
  routes: {
    "PUT /api/orders/:id": {
      access: allOf(check("open-now", () => true), ownerLookup({ get: "/orders/:id", field: "customerId" })),
      limit: "9/min per client",
      params: { id: z.string() },
      body: z.object({ note: z.string() }),
      response: none,
      to: "shop",
    },
  },
});
`;

const Output = z.strictObject({
  key: z.literal("PUT /api/orders/:id"),
  to: z.literal("shop"),
  declared: z.literal("curtainwall.config.ts:8"),
  countedOn: z.string(),
  steps: z.array(
    z.strictObject({
      check: z.string(),
      passes: z.string(),
      otherwise: z.string(),
      cost: z.int().optional(),
      declared: z
        .string()
        .regex(/^curtainwall\.config\.ts:\d+$/)
        .optional(),
    }),
  ),
});

function explain(root: string, route: string, ...more: string[]): SpawnSyncReturns<string> {
  return spawnSync(process.execPath, [...command, "explain", route, root, ...more], { encoding: "utf8" });
}

test("explain says where each condition is asked for, what it costs and where that was counted, for people and as JSON", async () => {
  const project = await makeProject({ config });
  const run = (...more: string[]): string => explain(project.root, "PUT /api/orders/:id", ...more).stdout;
  const { steps } = Output.parse(JSON.parse(run("--json")));
  for (const name of ["token", "access", "check", "look-up"])
    assert.equal(steps.find(({ check }) => check === name)?.declared, "curtainwall.config.ts:9", name);
  const text = run();
  assert.match(
    text,
    /^ +\d+ {2}look-up +\d+\.\d k {3}GET \/orders\/:id of shop names the caller as customerId/m,
  );
  assert.match(text, /thousands of instructions that a check takes, about \d+\.\d k in all/);
  assert.match(text, /Counted by bench\/step-costs\.ts on .*Node \d/);
  project.remove();
});

const withFunction = `import { bearer, defineStack, everyone, fn, secret, upstream } from "curtainwall";
import { z } from "zod";
export default defineStack({
  origin: "https://localhost:8443",
  upstreams: { shop: upstream({ url: "https://shop.bakery.test" }) },
  functions: { quotes: { concurrency: 5 } },
  secrets: {
    DELIVERY_KEY: secret({ use: "GET https://courier.test/v1/quotes", by: fn("quotes"), inject: bearer() }),
  },
  routes: {
    "GET /api/bread": { access: everyone, limit: "9/min per client", response: z.object({}), to: "shop" },
    "GET /api/quote": {
      access: everyone,
      limit: "9/min per client",
      response: z.object({ price: z.int() }),
      to: fn("quotes"),
    },
  },
});
`;

test("explain says of a function's route what its requests pass, which function answers, in what bounds, and whom it reaches with which secret", async () => {
  const project = await makeProject({ config: withFunction });
  const { status, stdout, stderr } = explain(project.root, "GET /api/quote", "--json");
  assert.equal(status, 0, stderr);
  const { to, steps } = Output.extend({
    key: z.literal("GET /api/quote"),
    to: z.literal("fn:quotes"),
    declared: z.literal("curtainwall.config.ts:12"),
  }).parse(JSON.parse(stdout));
  assert.equal(to, "fn:quotes");
  assert.deepEqual(
    steps.map(({ check }) => check),
    ["path", "method", "origin", "load", "limit by client", "access", "query", "body", "function", "answer"],
  );
  const step = steps.find(({ check }) => check === "function");
  assert.match(
    step?.passes ?? "",
    /^quotes answers within \d+ ms; .*; 5 calls at once; by egress it reaches GET https:\/\/courier\.test\/v1\/quotes with DELIVERY_KEY$/,
  );
  assert.equal(step?.declared, "curtainwall.config.ts:16");
  // The other routes of such a contract, and the page for people.
  const page = explain(project.root, "GET /api/bread");
  assert.equal(page.status, 0, page.stderr);
  assert.match(page.stdout, /^ +\d+ {2}upstream /m);
  project.remove();
});
