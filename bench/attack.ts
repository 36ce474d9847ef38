import { spawnSync } from "node:child_process";
import { nodeServer } from "./harness.ts";
import type { PeerResult, Table } from "./print-table.ts";
import type { Suite } from "./run.ts";
import { workerRow } from "./worker.ts";

interface AttackSample {
  readonly requests: number;
  /** Of the whole run, the process's start aside. */
  readonly ms: number;
  /** CPU a request. */
  readonly ns: number;
  readonly mb: number;
}

/** The largest takes minutes, so it is left out where there is little time. */
const sizes = [10, 100, 1000];
const secondsForThousand = 600;

/** What an attack costs, by the number of routes, beside sending as many requests and looking at nothing. */
export const attack: Suite = async ({ seconds, say }) => {
  const chosen = sizes.filter((size) => size < 1000 || seconds >= secondsForThousand);
  const rounds = Math.max(2, Math.min(5, Math.floor(seconds / 60)));
  const samples = new Map<string, AttackSample[]>();
  for (let round = 1; round <= rounds; round++) {
    say(`attack: round ${round} of ${rounds}`);
    for (const size of chosen)
      for (const mode of ["attack", "plain"])
        samples.set(`${mode} ${size}`, [...(samples.get(`${mode} ${size}`) ?? []), runOnce(mode, size)]);
  }
  const results = chosen.flatMap((size) => [
    rowOf(`attack on ${size} routes`, samples.get(`attack ${size}`) ?? []),
    rowOf(`as many requests, unjudged: ${size} routes`, samples.get(`plain ${size}`) ?? []),
  ]);
  const table: Table = {
    title:
      "curtainwall attack: input, cors, verbs and errors, some 50 requests a route, over TLS from loopback addresses",
    note: "CPU of the attacking process in nanoseconds a request; wall ms for the whole, the server's share of the machine included",
    results,
  };
  return [table];
};

function runOnce(mode: string, size: number): AttackSample {
  const [program = "", ...args] = nodeServer("attack-worker.ts", mode, String(size));
  const { stdout, stderr, status } = spawnSync(program, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as AttackSample;
}

function rowOf(name: string, samples: readonly AttackSample[]): PeerResult {
  const sorted = samples.map(({ ms }) => ms).toSorted((left, right) => left - right);
  const rates = samples
    .map(({ requests, ms }) => (requests / ms) * 1000)
    .toSorted((left, right) => left - right);
  return {
    ...workerRow(
      name,
      samples.map(({ ns }) => ns),
      samples.map(({ mb }) => mb),
    ),
    perSecondMedian: rates[rates.length >> 1] ?? Number.NaN,
    wallMedianMs: sorted[sorted.length >> 1] ?? Number.NaN,
  };
}
