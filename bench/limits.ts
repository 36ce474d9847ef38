import { spawnSync } from "node:child_process";
import { nodeServer } from "./harness.ts";
import type { PeerResult, Table } from "./print-table.ts";
import type { Suite } from "./run.ts";

const sizes = [10, 1000, 100_000, 1_000_000];

/** What a limit costs a request when so many clients are limited. PERFORMANCE.md, scale. */
export const limits: Suite = async ({ seconds, say }) => {
  const rounds = Math.max(2, Math.floor(seconds / 60));
  const samples = new Map<number, { ns: number; mb: number }[]>();
  for (let round = 1; round <= rounds; round++) {
    say(`limits: round ${round} of ${rounds}`);
    for (const clients of sizes) samples.set(clients, [...(samples.get(clients) ?? []), measure(clients)]);
  }
  const results = sizes.map((clients) => rowOf(clients, samples.get(clients) ?? []));
  const table: Table = {
    title: "One limit per client, counters for 1,000,000 clients, chosen at random among so many",
    note: "CPU in nanoseconds a request; RSS is the whole process's",
    results,
  };
  return [table];
};

function measure(clients: number): { ns: number; mb: number } {
  const [program = "", ...args] = nodeServer("limits-worker.ts", String(clients));
  const { stdout, stderr, status } = spawnSync(program, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as { ns: number; mb: number };
}

function rowOf(clients: number, samples: readonly { ns: number; mb: number }[]): PeerResult {
  const sorted = samples.map(({ ns }) => ns).toSorted((a, b) => a - b);
  return {
    name: `${clients.toLocaleString("en")} clients`,
    cpuBest: sorted[0] ?? Number.NaN,
    cpuMedian: sorted[sorted.length >> 1] ?? Number.NaN,
    userBest: Number.NaN,
    ratioMedian: Number.NaN,
    instructionsK: undefined,
    perSecondMedian: Number.NaN,
    p99MsMedian: Number.NaN,
    rssMb: Math.max(...samples.map(({ mb }) => mb)),
  };
}
