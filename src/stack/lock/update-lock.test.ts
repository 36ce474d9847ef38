import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { Worker } from "node:worker_threads";
import { lockName } from "./lock-name.ts";
import { readLock } from "./site-lock.ts";
import { updateLock } from "./update-lock.ts";

function makeFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "curtainwall-turns-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const permission = (at: string): Record<string, unknown> => ({ at, permits: "x", recorded: "2026-01-01" });
const add = (file: string, at: string): void =>
  void updateLock(file, (lock) => ({ ...lock, permissions: [...lock.permissions, permission(at)] }));

test("of many that change a lock at the same time none is lost, and nothing is left beside it", async (t) => {
  const folder = makeFolder(t);
  const file = join(folder, lockName);
  const code = `import { workerData } from "node:worker_threads";
const { updateLock } = await import(workerData.module);
for (let turn = 0; turn < 10; turn++)
  updateLock(workerData.file, (lock) => ({
    ...lock,
    permissions: [...lock.permissions, { at: "cors " + workerData.name + turn, permits: "x", recorded: "2026-01-01" }],
  }));`;
  await Promise.all(
    ["a", "b", "c", "d"].map(
      (name) =>
        new Promise<void>((resolve, reject) => {
          const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`), {
            workerData: { module: new URL("update-lock.ts", import.meta.url).href, file, name },
          });
          worker.once("error", reject);
          worker.once("exit", () => resolve());
        }),
    ),
  );
  assert.equal(readLock(file).permissions.length, 40);
  assert.deepEqual(readdirSync(folder), [lockName]);
});

test("the turn of a command that was killed ends with it; that of one that runs is waited for, and no longer than that", (t) => {
  const folder = makeFolder(t);
  const file = join(folder, lockName);
  const mark = join(folder, `.${lockName}.turn`);
  const { pid } = spawnSync(process.execPath, ["--version"]);
  writeFileSync(mark, String(pid));
  add(file, "cors a");
  assert.deepEqual(readdirSync(folder), [lockName]);

  writeFileSync(mark, String(process.pid));
  assert.throws(
    () => updateLock(file, (lock) => lock, { maxWaitMs: 100 }),
    /HARDEN_OUTPUT_FAILED|has been writing/,
  );
  rmSync(mark);
  assert.throws(() => add(join(folder, "missing", lockName), "cors b"), { code: "HARDEN_OUTPUT_FAILED" });
});

test("a change that fails writes nothing and ends its turn", (t) => {
  const folder = makeFolder(t);
  const file = join(folder, lockName);
  add(file, "cors a");
  assert.throws(() => updateLock(file, () => assert.fail("refused")), /refused/);
  assert.equal(readLock(file).permissions.length, 1);
  assert.deepEqual(readdirSync(folder), [lockName]);
});
