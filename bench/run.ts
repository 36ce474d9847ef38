import { mkdtempSync, rmSync } from "node:fs";
import { cpus, release, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { attack } from "./attack.ts";
import { build } from "./build.ts";
import { edge } from "./edge.ts";
import { functions } from "./functions.ts";
import { gateway } from "./gateway.ts";
import { limits } from "./limits.ts";
import { overload } from "./overload.ts";
import { printTable } from "./print-table.ts";
import type { Table } from "./print-table.ts";
import { proxy } from "./proxy.ts";
import { site } from "./site.ts";
import { start } from "./start.ts";

/** What a suite is given. */
export interface SuiteOptions {
  /** For certificates and files; removed afterwards. */
  readonly folder: string;
  /** About how long it may take. */
  readonly seconds: number;
  /** Requests whose instructions are counted, where a suite counts them; 0: none, which is quicker. */
  readonly count: number;
  /** Tells how far it is. */
  readonly say: (text: string) => void;
}

/** Compares our server with others doing the same work. */
export type Suite = (options: SuiteOptions) => Promise<Table[]>;

export type { Table } from "./print-table.ts";

const suites: Record<string, Suite> = {
  attack,
  build,
  edge,
  functions,
  gateway,
  limits,
  overload,
  proxy,
  site,
  start,
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: "boolean", default: false },
    seconds: { type: "string", default: "180" },
    count: { type: "string", default: "1000" },
    help: { type: "boolean", default: false },
  },
});
const names = positionals.length === 0 ? Object.keys(suites) : positionals;
const seconds = Number(values.seconds);
const count = Number(values.count);
if (values.help || !(seconds > 0) || !(count >= 0) || names.some((name) => !Object.hasOwn(suites, name))) {
  console.error(
    "npm run bench [-- attack|build|edge|functions|gateway|limits|overload|proxy|site|start] [--seconds 180] [--count 1000] [--json]",
  );
  process.exit(values.help ? 0 : 2);
}

const folder = mkdtempSync(join(tmpdir(), "curtainwall-bench-"));
const say = (text: string) => console.error(text);
const tables: Table[] = [];
try {
  for (const name of names) {
    const suite = suites[name];
    if (suite !== undefined)
      tables.push(...(await suite({ folder, seconds: seconds / names.length, count, say })));
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
  for (const table of tables) printTable(table);
}
