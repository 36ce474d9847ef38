// `npm test` itself: what fails must not be told as passed, however it fails.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";

const repository = fileURLToPath(new URL("..", import.meta.url));

/** Runs `npm test` on files with these texts. */
function run(
  context: TestContext,
  files: Readonly<Record<string, string>>,
): { status: number | null; out: string } {
  const parent = join(repository, ".curtainwall", "test");
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, "tests-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files))
    writeFileSync(join(folder, `${name}.test.ts`), `import { test } from "node:test";\n${text}`);
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(repository, "tools/test.ts"), folder],
    {
      env: { ...env, NO_COLOR: "1" },
      encoding: "utf8",
    },
  );
  return { status, out: stdout + stderr };
}

const passes = 'test("passes", () => undefined);';

suite("npm test", () => {
  test("sums up all files as node does, and names the slowest", (context) => {
    const skips = 'test("skips", { skip: "it is late" }, () => undefined);';
    const { status, out } = run(context, { one: passes, two: passes + skips });
    assert.equal(status, 0, out);
    assert.match(out, /^﹣ skips .*# it is late$/m);
    assert.match(out, /^ℹ tests 3\n(?:ℹ .*\n)*ℹ pass 2\nℹ fail 0\n(?:ℹ .*\n)*ℹ skipped 1\n/m);
    assert.match(out, /^ℹ slowest files\n(?:ℹ \d+\.\d s \S+(?:one|two)\.test\.ts\n){2}$/m);
  });

  for (const [how, text] of Object.entries({
    "a test that throws": 'test("throws", () => { throw new Error("no"); });',
    "a file that throws": 'throw new Error("no");',
    "a file that is no TypeScript": "const = 1;",
    "a process that ends before its tests":
      'test("ends", () => process.exit(0)); test("never", () => undefined);',
    "a process that is killed": 'process.kill(process.pid, "SIGKILL");',
    "a rejection that nobody handles": 'test("rejects", () => void Promise.reject(new Error("no")));',
  }))
    test(`fails for ${how}, though others pass`, (context) => {
      const { status, out } = run(context, { a: passes, bad: text, c: passes });
      assert.equal(status, 1, out);
      assert.match(out, /^✖ .*\bbad\.test\.ts$|failing tests:/m);
    });

  test("fails where there is no test", (context) => {
    assert.notEqual(run(context, {}).status, 0);
  });
});
