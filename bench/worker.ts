import { spawnSync } from "node:child_process";
import { nodeServer } from "./harness.ts";
import type { PeerResult } from "./print-table.ts";

/** Runs a measurement in a process of its own, and gives what it printed as JSON. */
export function runWorker<Sample>(script: string, size: number): Sample {
  const [program = "", ...args] = nodeServer(script, String(size));
  const { stdout, stderr, status } = spawnSync(program, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as Sample;
}

/** The row of what has no server and no load: times and memory of several runs. */
export function workerRow(name: string, times: readonly number[], mbs: readonly number[]): PeerResult {
  const sorted = times.toSorted((a, b) => a - b);
  return {
    name,
    cpuBest: sorted[0] ?? Number.NaN,
    cpuMedian: sorted[sorted.length >> 1] ?? Number.NaN,
    userBest: Number.NaN,
    ratioMedian: Number.NaN,
    instructionsK: undefined,
    perSecondMedian: Number.NaN,
    p99MsMedian: Number.NaN,
    rssMb: Math.max(...mbs),
  };
}
