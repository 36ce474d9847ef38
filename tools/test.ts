// `npm test`: all tests, several files at once, told by node's own reporter; at the end, which files took longest, so that it is seen when
// one grows. `npm test -- src/html test/dev.test.ts` runs some. Each file alone is `node --test`, as CONTRIBUTING.md says.
import { spawnSync } from "node:child_process";
import { existsSync, globSync, statSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join, relative, resolve } from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { fileURLToPath } from "node:url";
// Here, so that all files share what one of them has compiled: node gives `--import` to the files' processes only.
import "../test/support/code-cache.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

/**
 * The slow ones are in the first of them: early, so that at the end no core waits for one of them. The slowest has the example for itself, for which
 * others would wait.
 */
const everything = ["test/audit-example.test.ts", "src/stack", "src/audit", "test", "examples", "src"];

const asked = process.argv.slice(2);
const files = [...new Set((asked.length > 0 ? asked : everything).flatMap(filesOf))];
if (files.length === 0) throw new Error(`no tests in ${asked.join(" ")}`);

// The commands that tests start are built ones then (test/support/command.ts), and those of the example always are.
if (
  isBehind() &&
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
  execArgv: ["--conditions=curtainwall-source", "--import", join(root, "test/support/fixed-seed.ts")],
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

/** Whether something that `dist` is made of was changed after it. */
function isBehind(): boolean {
  const built = join(root, "dist/cli/main.js");
  if (!existsSync(built)) return true;
  const { mtimeMs: made } = statSync(built);
  const sources = globSync(["src", "src/**", "tools/{build,bundle}*.ts", "{package-lock,tsconfig*}.json"], {
    cwd: root,
  });
  return sources.some((path) => !path.endsWith(".test.ts") && statSync(join(root, path)).mtimeMs > made);
}

function filesOf(path: string): string[] {
  const absolute = resolve(root, path);
  if (statSync(absolute).isFile()) return [absolute];
  return globSync("**/*.test.ts", { cwd: absolute, exclude: ["**/node_modules/**"] })
    .sort()
    .map((name) => join(absolute, name));
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
