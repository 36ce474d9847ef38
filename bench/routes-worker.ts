import { z } from "zod";
import { everyone, parseContract, upstream } from "../src/contract/index.ts";
import { createGateway, createLimitMemory, createLimitStore } from "../src/gateway/index.ts";
import type { GatewayRequest } from "../src/gateway/index.ts";

/**
 * Handles requests of as many routes as the command line says, and prints what one takes in microseconds, when only ten are asked and
 * when all are: `routes`.
 */

const count = Number(process.argv[2]);
const item = z.strictObject({ id: z.string() });
const paths = Array.from({ length: count }, (_, index) =>
  index % 2 === 0 ? `/api/area-${index % 97}/list-${index}` : `/api/area-${index % 97}/items-${index}/:id`,
);
// As plain data: the types of that many routes are more than a compiler wants to see.
const contract = parseContract({
  kind: "stack",
  origin: "https://localhost",
  upstreams: { service: upstream({ url: "https://service.example" }) },
  routes: Object.fromEntries(
    paths.map((path) => [
      `GET ${path}`,
      {
        access: everyone,
        limit: "100000000/min per client",
        ...(path.endsWith(":id") ? { params: { id: z.string().max(40) } } : {}),
        response: item,
        to: "service",
      },
    ]),
  ),
});
const gateway = createGateway({
  contract,
  destinations: new Map([
    ["service", (_request, done) => done({ kind: "answer", status: 200, value: { id: "1" } })],
  ]),
  limits: createLimitStore(createLimitMemory()),
  events: () => undefined,
});

let state = 1;
/** One of so many paths, made anew as it is for each request, in an order that no cache foresees. */
function next(among: number): string {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  const path = paths[Math.floor((state / 2 ** 32) * among)] as string;
  return Buffer.from(path.replace(":id", String(state))).toString("latin1");
}
let answered = 0;
const request = (path: string): GatewayRequest => ({
  method: "GET",
  path,
  query: "",
  remoteAddress: "192.0.2.1",
  connection: gateway,
  hasBody: false,
  header: () => undefined,
  readBody: (_most, done) => done(undefined, new Uint8Array(0)),
});
const calls = 100_000;
function run(among: number): number {
  const before = process.cpuUsage();
  for (let call = 0; call < calls; call++)
    gateway.handle(request(next(among)), ({ status }) => {
      if (status === 200) answered++;
    });
  const { user, system } = process.cpuUsage(before);
  return (user + system) / calls;
}
const best = (among: number): number => Math.min(run(among), run(among), run(among));
const few = best(10);
const all = best(count);
if (answered !== calls * 6) throw new Error(`${calls * 6 - answered} calls were not answered 200`);
console.log(JSON.stringify({ few, all, mb: process.memoryUsage.rss() / 2 ** 20 }));
