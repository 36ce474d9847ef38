import { makeApiLoad } from "./api-load.ts";
import type { ApiLoad } from "./api-load.ts";
import { compare, has, nodeServer, wrkLoad } from "./harness.ts";
import type { Peer } from "./harness.ts";
import { canCount, countByCallgrind } from "./instructions.ts";
import type { PeerResult, Table } from "./print-table.ts";
import type { Suite, SuiteOptions } from "./run.ts";
import { runWorker, workerRow } from "./worker.ts";

/** An API call with every policy on, over TLS 1.3: with a token that was seen before, with a new one each time; and what routes cost. PERFORMANCE.md, B. */
export const gateway: Suite = async (options) => {
  const routes = compareRoutes(options);
  if (!has("wrk")) {
    options.say("wrk is not installed: calls are not measured. On Debian: apt-get install wrk");
    return [routes];
  }
  const load = makeApiLoad(options.folder);
  return [await compareWarm(load, options), await compareCold(load, options), routes];
};

const peerOf = (name: string, { jwk }: ApiLoad, folder: string): Peer => ({
  name,
  command: commandOf(name),
  env: { BENCH_FOLDER: folder, BENCH_JWK: jwk },
});

async function compareWarm(load: ApiLoad, { folder, seconds, count, say }: SuiteOptions): Promise<Table> {
  const names = ["node:https echo", "curtainwall", "curtainwall, edge alone", "fastify", "express", "hono"];
  const peers = names.map((name) => peerOf(name, load, folder));
  const measured = await compare({
    title: "API",
    peers,
    load: wrkLoad("/api/contact", load.warm),
    rounds: Math.max(3, Math.floor((seconds * 0.2) / peers.length)),
    warmUpSeconds: 6,
    say,
  });
  if (count > 0 && !canCount())
    say("valgrind is not installed: instructions are not counted. On Debian: apt-get install valgrind");
  const results: PeerResult[] = [];
  for (const [index, result] of measured.entries()) {
    const peer = peers[index];
    const isCounted = index < 2 && peer !== undefined && count > 0 && canCount();
    if (isCounted) say(`API: counting the instructions of ${peer.name}`);
    const instructions = isCounted ? await countByCallgrind(peer, load.request, count, folder) : undefined;
    results.push(instructions === undefined ? result : { ...result, instructionsK: instructions / 1000 });
  }
  return {
    title:
      "POST of JSON, EdDSA token seen before, limit, Zod, CORS, TLS 1.3, HTTP/1.1, 64 connections (instructions: main thread, outside the kernel)",
    results,
  };
}

async function compareCold(load: ApiLoad, { folder, seconds, say }: SuiteOptions): Promise<Table> {
  const results = await compare({
    title: "API, new tokens",
    peers: ["node:https echo, one verify", "curtainwall"].map((name) => peerOf(name, load, folder)),
    load: wrkLoad("/api/contact", load.cold),
    rounds: Math.max(3, Math.floor((seconds * 0.07) / 2)),
    warmUpSeconds: 6,
    say,
  });
  const [floor, ours] = results;
  // Nobody verifies for nothing: then the tokens were known, and the row says something else than its title.
  if (floor !== undefined && ours !== undefined && ours.cpuBest < floor.cpuBest)
    throw new Error(
      `New tokens took ${ours.cpuBest} µs, less than the floor's ${floor.cpuBest}: they were remembered`,
    );
  return {
    title: "The same with a token that was never seen: the floor verifies one signature and nothing else",
    results,
  };
}

/** Ours runs as `curtainwall start` runs it: without code from strings, which Zod would make use of. */
function commandOf(name: string): string[] {
  const [node = "", ...rest] = nodeServer("servers/api.ts", name);
  return name.startsWith("curtainwall")
    ? [node, "--disallow-code-generation-from-strings", ...rest]
    : [node, ...rest];
}

interface RouteSample {
  /** Microseconds when ten routes are asked. */
  readonly few: number;
  /** When all are: each request's route is out of the processor's caches by then. */
  readonly all: number;
  readonly mb: number;
}

const routeCounts = [10, 1000, 10_000];

/** What a call takes inside the gateway, sockets aside, when a contract has so many routes. */
function compareRoutes({ say }: SuiteOptions): Table {
  const samples = new Map<number, RouteSample[]>();
  for (let round = 1; round <= 2; round++) {
    say(`routes: round ${round} of 2`);
    for (const count of routeCounts)
      samples.set(count, [...(samples.get(count) ?? []), runWorker<RouteSample>("routes-worker.ts", count)]);
  }
  return {
    title: "One call among so many routes, half of them with a parameter; inside the gateway, sockets aside",
    results: routeCounts.flatMap((count) => {
      const taken = samples.get(count) ?? [];
      const name = `${count.toLocaleString("en")} routes`;
      const few = rowOf(`${name}, ten are asked`, taken, (sample) => sample.few);
      return count === 10 ? [few] : [few, rowOf(`${name}, all are asked`, taken, (sample) => sample.all)];
    }),
  };
}

function rowOf(
  name: string,
  samples: readonly RouteSample[],
  read: (sample: RouteSample) => number,
): PeerResult {
  return workerRow(
    name,
    samples.map(read),
    samples.map(({ mb }) => mb),
  );
}
