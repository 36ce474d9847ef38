import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker, isMainThread, parentPort, workerData } from "node:worker_threads";
import { Pool } from "undici";
import { bearer, defineStack, fn, parseContract, secret } from "../src/contract/index.ts";
import { developmentCertificate } from "../src/edge/index.ts";
import { createEgress, createEgressServer } from "../src/egress/node.ts";
import { Secret } from "../src/shared/index.ts";

/**
 * Asks a service over HTTPS, by turns directly and by way of egress, which adds a key; each in a thread of its own. Prints the medians of what one
 * request takes, at as many at once as the command line says: `concurrency`.
 */

interface Place {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
  readonly path: string;
}

const at = { origin: "" };

if (!isMainThread) {
  const { role, place, origin } = workerData as { role: string; place: Place; origin: string };
  if (role === "service") serve(place);
  else await forward(place, origin);
} else await measure(Number(process.argv[2]));

function serve({ cert, key }: Place): void {
  const body = JSON.stringify({ quotes: Array.from({ length: 20 }, (_, id) => ({ id, price: id * 100 })) });
  const server = createServer({ cert, key, keepAliveTimeout: 60_000 }, (_, response) => {
    response.writeHead(200, { "content-type": "application/json", "content-length": body.length });
    response.end(body);
  });
  server.listen(0, "127.0.0.1", () => parentPort?.postMessage((server.address() as AddressInfo).port));
}

async function forward({ ca, path }: Place, origin: string): Promise<void> {
  const { secrets, functions, egressOrigins } = parseContract(
    defineStack({
      origin: "https://www.bakery.test",
      functions: { quotes: {} },
      secrets: {
        KEY: secret({ use: `GET ${origin as "https://x"}/v1/*`, by: fn("quotes"), inject: bearer() }),
      },
    }),
  );
  const egress = createEgress({
    secrets,
    functions,
    origins: egressOrigins,
    source: {
      get: () => Promise.resolve({ version: 1, value: new Secret("key-of-nobody-0123456789") }),
      onChange: () => undefined,
    },
    authorities: new Map([[origin, ca]]),
    events: () => undefined,
  });
  const server = createEgressServer({
    egress,
    name: "bench",
    caller: () => ({ kind: "function", name: "quotes" }),
  });
  await server.listen({ path });
  parentPort?.postMessage(0);
}

/** Starts a thread; resolves with the first thing that it says. */
async function start(role: string, place: Place, origin = ""): Promise<{ worker: Worker; said: number }> {
  const worker = new Worker(new URL(import.meta.url), { workerData: { role, place, origin } });
  const said = await new Promise<number>((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
  });
  return { worker, said };
}

async function measure(concurrency: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "cw-bench-egress-"));
  const { cert, key, caFile } = await developmentCertificate({ folder });
  const { readFileSync } = await import("node:fs");
  const ca = readFileSync(caFile, "utf8");
  const place = { cert, key, ca, path: join(folder, "s") };
  const service = await start("service", place);
  at.origin = `https://localhost:${service.said}`;
  const egress = await start("egress", place, at.origin);
  const options = { connections: concurrency, pipelining: 1 };
  const direct = new Pool(at.origin, { ...options, connect: { ca } });
  const through = new Pool("http://egress", { ...options, connect: { socketPath: place.path } });
  const ways = [
    () => once(direct, "/v1/quotes", { authorization: "Bearer key-of-nobody-0123456789" }),
    () => once(through, `${at.origin}/v1/quotes`, { host: at.origin.slice("https://".length) }),
  ] as const;
  for (const way of ways) await batch(way, concurrency, 500);
  const medians: [number, number][] = [];
  for (let round = 0; round < 15; round++) {
    const [first, second] = [await batch(ways[0], concurrency, 300), await batch(ways[1], concurrency, 300)];
    medians.push([first, second]);
  }
  const directMs = median(medians.map(([one]) => one));
  const throughMs = median(medians.map(([, other]) => other));
  const addedMs = median(medians.map(([one, other]) => other - one));
  const ratio = median(medians.map(([one, other]) => other / one));
  console.log(JSON.stringify({ directMs, throughMs, addedMs, ratio }));
  await Promise.all([
    direct.destroy(),
    through.destroy(),
    egress.worker.terminate(),
    service.worker.terminate(),
  ]);
  rmSync(folder, { recursive: true });
}

async function once(pool: Pool, path: string, headers: Record<string, string>): Promise<void> {
  const { statusCode, body } = await pool.request({ method: "GET", path, headers });
  await body.arrayBuffer();
  if (statusCode !== 200) throw new Error(`it answers ${statusCode}`);
}

/** The median of what each of so many requests took, so many at once. */
async function batch(way: () => Promise<void>, concurrency: number, count: number): Promise<number> {
  const took: number[] = [];
  let left = count;
  const work = async (): Promise<void> => {
    while (left-- > 0) {
      const before = performance.now();
      await way();
      took.push(performance.now() - before);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
  return median(took);
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN;
}
