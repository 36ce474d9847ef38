import { mkdtempSync, rmSync } from "node:fs";
import { cpus, release, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { edge } from "./edge.ts";
import { gateway } from "./gateway.ts";
import type { PeerResult } from "./harness.ts";
import { site } from "./site.ts";

/** What a suite is given. */
export interface SuiteOptions {
  /** For certificates and files; removed afterwards. */
  readonly folder: string;
  /** About how long it may take. */
  readonly seconds: number;
  /** Tells how far it is. */
  readonly say: (text: string) => void;
}

/** One table. */
export interface Table {
  readonly title: string;
  readonly results: readonly PeerResult[];
}

/** Compares our server with others doing the same work. */
export type Suite = (options: SuiteOptions) => Promise<Table[]>;

const suites: Record<string, Suite> = { edge, gateway, site };

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: "boolean", default: false },
    seconds: { type: "string", default: "180" },
    help: { type: "boolean", default: false },
  },
});
const names = positionals.length === 0 ? Object.keys(suites) : positionals;
const seconds = Number(values.seconds);
if (values.help || !(seconds > 0) || names.some((name) => !Object.hasOwn(suites, name))) {
  console.error("npm run bench [-- edge|gateway|site] [--seconds 180] [--json]");
  process.exit(values.help ? 0 : 2);
}

const folder = mkdtempSync(join(tmpdir(), "curtainwall-bench-"));
const say = (text: string) => console.error(text);
const tables: Table[] = [];
try {
  for (const name of names) {
    const suite = suites[name];
    if (suite !== undefined) tables.push(...(await suite({ folder, seconds: seconds / names.length, say })));
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

const machine = {
  node: process.version,
  cpu: cpus()[0]?.model ?? "unknown",
  cores: cpus().length,
  kernel: release(),
  date: new Date().toISOString().slice(0, 10),
};
if (values.json) {
  console.log(JSON.stringify({ machine, tables }, undefined, 2));
} else {
  console.log(
    `Node ${machine.node}, ${machine.cores} × ${machine.cpu}, Linux ${machine.kernel}, ${machine.date}`,
  );
  console.log(
    "CPU in microseconds per request, of all the server's threads; × is the first row's CPU by this row's.",
  );
  for (const table of tables) print(table);
}

function print({ title, results }: Table): void {
  const first = results[0];
  const width = Math.max(...results.map(({ name }) => name.length));
  console.log(`\n${title}`);
  console.log(
    `${"".padEnd(width)}  × best  × median  CPU best  CPU median  user best  instructions     req/s   p99 ms  RSS MB`,
  );
  for (const result of results) {
    const cells = [
      fixed((first?.cpuBest ?? Number.NaN) / result.cpuBest, 2, 6),
      fixed(result.ratioMedian, 2, 8),
      fixed(result.cpuBest, 1, 8),
      fixed(result.cpuMedian, 1, 10),
      fixed(result.userBest, 1, 9),
      result.instructionsK === undefined
        ? "not counted".padStart(12)
        : `${fixed(result.instructionsK, 0, 11)}k`,
      fixed(result.perSecondMedian, 0, 8),
      fixed(result.p99MsMedian, 1, 7),
      fixed(result.rssMb, 0, 6),
    ];
    console.log(`${result.name.padEnd(width)}  ${cells.join("  ")}`);
  }
}

function fixed(value: number, digits: number, width: number): string {
  return value.toFixed(digits).padStart(width);
}
