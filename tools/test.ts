// `npm test`: all tests, several files at once, told by node's own reporter; at the end, which files took longest, so that it is seen when
// one grows. `npm test -- src/html test/dev.test.ts` runs some. Each file alone is `node --test`, as CONTRIBUTING.md says.
import { spawnSync } from "node:child_process";
import { globSync, statSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join, relative, resolve } from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { fileURLToPath } from "node:url";
// Here, so that all files share what one of them has compiled: node gives `--import` to the files' processes only.
import "../test/support/code-cache.ts";
import { isBuilt } from "./built-from.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

/**
 * Whose files are run in turns: those of the audit wait for limits and time-outs, and leave the cores to the others. What is left at the end is short,
 * so that no core waits for it. The slowest comes first: it has the example for itself, for which others wait.
 */
const everything = ["test/audit-example.test.ts", "src/audit", "test", "src/stack", "src", "examples"];

const asked = process.argv.slice(2);
const files = inTurns((asked.length > 0 ? asked : everything).map(filesOf));
if (files.length === 0) throw new Error(`no tests in ${asked.join(" ")}`);

// What tests import of src/, and the commands that they start, is what was built of it (test/support/from-dist.ts, command.ts).
if (
  !isBuilt(root) &&
  spawnSync(process.execPath, [join(root, "tools/build.ts")], { stdio: "inherit" }).status !== 0
)
  throw new Error("dist was not built");
process.env["CURTAINWALL_TEST_BUILT"] = "1";

/** Seconds by file, of those that came to their end. */
const took = new Map<string, number>();
/** Only a summary that says so makes the run a success. */
process.exitCode = 1;

run({
  files,
  cwd: root,
  // More than there are cores: half of a file's time is waiting for processes, connections and timers.
  concurrency: availableParallelism() * 2,
  execArgv: ["from-dist", "fixed-seed"].flatMap((name) => [
    "--import",
    join(root, `test/support/${name}.ts`),
  ]),
})
  .on("test:summary", ({ file, duration_ms: milliseconds, success }) => {
    if (file === undefined) process.exitCode = success ? 0 : 1;
    else took.set(file, milliseconds / 1000);
  })
  .compose(new spec())
  .on("end", () => {
    tellSlowest();
    tellEndedEarly();
  })
  .pipe(process.stdout);

function filesOf(path: string): string[] {
  const absolute = resolve(root, path);
  if (statSync(absolute).isFile()) return [absolute];
  return globSync("**/*.test.ts", { cwd: absolute, exclude: ["**/node_modules/**"] })
    .sort()
    .map((name) => join(absolute, name));
}

/** The first of each list, then the second of each, and so on; what is in several lists counts for the first of them. */
function inTurns(lists: readonly string[][]): string[] {
  const seen = new Set<string>();
  const own = lists.map((list) => list.filter((file) => !seen.has(file) && seen.add(file)));
  const longest = Math.max(...own.map(({ length }) => length));
  return Array.from({ length: longest }, (_, turn) => own.flatMap((list) => list[turn] ?? [])).flat();
}

function tellSlowest(): void {
  const slowest = [...took].toSorted(([, one], [, other]) => other - one).slice(0, 10);
  console.log("ℹ slowest files");
  for (const [file, seconds] of slowest) console.log(`ℹ ${seconds.toFixed(1)} s ${relative(root, file)}`);
}

/** Node takes a file for passed whose process ends with 0, also where that was before its last test. */
function tellEndedEarly(): void {
  const early = files.filter((file) => !took.has(file));
  for (const file of early) console.log(`✖ has no test, or ended before the last: ${relative(root, file)}`);
  if (early.length > 0) process.exitCode = 1;
}
