import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

/**
 * Counts the instructions that each of a route's checks takes, and writes them where `curtainwall explain` finds them:
 * `node --conditions=curtainwall-source bench/step-costs.ts [requests]`. Takes some minutes. By Valgrind, so that no neighbour on the machine moves
 * them; of routes that differ in this one check, all in one gateway, as a contract's are.
 */

const here = import.meta.dirname;
const requests = process.argv[2] ?? "1500";
const folder = mkdtempSync(join(tmpdir(), "curtainwall-steps-"));
const out = join(folder, "out");

/** By check: the route that has it, and the one that is the same without it. */
const steps: Readonly<Record<string, readonly [withIt: string, without: string | undefined]>> = {
  "every route": ["bare", undefined],
  "limit by client": ["limit by client", "bare"],
  token: ["token", "bare"],
  "limit by user": ["limit by user", "token"],
  "access by role": ["access by role", "token"],
  "access by several": ["access by several", "token"],
  "access by check": ["access by check", "token"],
  "access by path": ["access by path", "token, parameters"],
  "access by look-up": ["access by look-up", "token, parameters"],
  parameters: ["parameters", "bare"],
  query: ["query", "bare"],
  headers: ["headers", "bare"],
  body: ["body", "bare"],
  "under way": ["under way", "bare"],
  failures: ["failures", "bare"],
  budget: ["budget", "bare"],
  answer: ["answer", "bare"],
  etag: ["etag", "answer"],
  visibility: ["visibility", "answer"],
};

/** V8 optimises after a hundred thousand requests by default: too many for a machine that Valgrind slows down. */
const optimiseEarly = [
  "--invocation-count-for-feedback-allocation=4",
  "--invocation-count-for-maglev=50",
  "--invocation-count-for-turbofan=200",
];

try {
  const { stdout } = await promisify(execFile)("valgrind", [
    "-q",
    "--tool=callgrind",
    `--callgrind-out-file=${out}`,
    "--separate-threads=yes",
    "--smc-check=all-non-file",
    process.execPath,
    ...optimiseEarly,
    "--conditions=curtainwall-source",
    join(here, "step-costs-worker.ts"),
    requests,
  ]);
  const names = JSON.parse(stdout) as string[];
  const total = (window: number): number =>
    Number(/^(?:summary|totals): ([0-9]+)/m.exec(readFileSync(`${out}.${window}-01`, "utf8"))?.[1]);
  // The first window is warming up, the second writing down alone, the third making requests.
  const perRequest = (window: number): number => (total(window) - total(2)) / Number(requests);
  const costs = new Map(names.map((name, index) => [name, perRequest(index + 4) - perRequest(3)]));
  const table = Object.entries(steps).map(([step, [withIt, without]]) => {
    const cost = (costs.get(withIt) ?? NaN) - (without === undefined ? 0 : (costs.get(without) ?? NaN));
    return [step, Math.max(0, Math.round(cost / 100) * 100)] as const;
  });
  for (const [step, cost] of table) console.log(`${String(cost).padStart(8)}  ${step}`);
  writeFileSync(join(here, "../src/gateway/explain/step-costs.ts"), moduleOf(table));
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function moduleOf(table: readonly (readonly [step: string, cost: number])[]): string {
  const machine = `${cpus()[0]?.model.trim() ?? "unknown"}, Node ${process.versions.node}, ${new Date().toISOString().slice(0, 10)}`;
  const lines = table.map(
    ([step, cost]) => `  ${/^\w+$/.test(step) ? step : JSON.stringify(step)}: ${cost},`,
  );
  return `// Written by bench/step-costs.ts.

/** What each check took, in instructions of the main thread outside the kernel, on {@link stepCostsMachine}. */
export const stepCosts = {
${lines.join("\n").replaceAll(/(\d)(?=(\d{3})+,)/g, "$1_")}
} as const;

/** Where and when they were counted. */
export const stepCostsMachine = ${JSON.stringify(machine)};
`;
}
