import { createLimitMemory, createLimitStore } from "../src/gateway/index.ts";

/** Charges a limit of as many clients as the command line says, and prints what one charge takes: `clients`. */

const clients = Number(process.argv[2]);
const store = createLimitStore(createLimitMemory({ maxClients: 1_000_000 }));
const limit = { id: 1, burst: 1_000_000_000, intervalMs: 0.001 };
const charges = 500_000;
let state = 1;
/** An address, made anew as it is for each connection, in an order that no cache foresees. */
function next(): string {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return nameOf(Math.floor((state / 2 ** 32) * clients));
}
const nameOf = (client: number): string => `2001:db8:${1000 + (client >> 10)}:${1000 + (client & 1023)}`;
const now = Date.now();
for (let client = 0; client < clients; client++) store.take(limit, nameOf(client), now);
function run(): number {
  const before = process.cpuUsage();
  for (let count = 0; count < charges; count++) store.take(limit, next(), now);
  const { user, system } = process.cpuUsage(before);
  return ((user + system) * 1000) / charges;
}
run();
const ns = Math.min(run(), run(), run());
console.log(JSON.stringify({ ns, mb: process.memoryUsage.rss() / 2 ** 20 }));
