import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { lockLog } from "./lock-log.ts";

function lockFileOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "curtainwall-lock-log-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, "ledger.lock");
}

test("A log is one writer's: another is told, and may write it once the first gave it back", (t) => {
  const file = lockFileOf(t);
  const giveBack = lockLog(file, 0);
  assert.throws(() => lockLog(file, 0), { code: "LEDGER_IN_USE", message: /^Another process.* the log\.$/ });
  giveBack();
  giveBack();
  lockLog(file, 0)();
  assert.equal(statSync(file).size, 0);
});

test("The process that writes it is named, waited for, and holds nothing once it ended", async (t) => {
  const file = lockFileOf(t);
  const module = JSON.stringify(new URL("./lock-log.ts", import.meta.url).href);
  const program = `
    const { lockLog } = await import(${module});
    lockLog(${JSON.stringify(file)}, 0);
    for (let count = 0; count < 5; count++) globalThis.gc();
    console.log("mine");
    process.stdin.resume();`;
  const other = spawn(process.execPath, ["--expose-gc", "--input-type=module", "-e", program], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  t.after(() => other.kill("SIGKILL"));
  await once(other.stdout, "data");
  const named = existsSync("/proc/locks") ? new RegExp(`process ${other.pid}\\b`) : /Another process/;
  assert.throws(() => lockLog(file, 0), { code: "LEDGER_IN_USE", message: named });
  // It ends while it is waited for, and nothing here runs meanwhile.
  other.kill("SIGTERM");
  lockLog(file, 60_000)();
});

test("Where nothing can be locked, that is not taken for a writer", (t) => {
  assert.throws(
    () => lockLog(join(lockFileOf(t), "missing", "ledger.lock"), 0),
    ({ code }: { code?: string }) => code !== "LEDGER_IN_USE",
  );
});
