import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { stackFolders } from "../folders.ts";
import { assertNotRunning, ownState } from "./own-state.ts";

function folderOf(t: TestContext): string {
  const root = mkdtempSync(join(tmpdir(), "curtainwall-own-state-"));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  return root;
}

const silent = (message: string): never => assert.fail(message);

test("A site's state is one stack's; the other is told which process has it, and may have it after that", (t) => {
  const folders = stackFolders(folderOf(t));
  const giveBack = ownState(folders, silent);
  assert.throws(() => ownState(folders, silent), {
    code: "STACK_RUNS_ALREADY",
    message: new RegExp(`process ${process.pid}\\b`),
    hint: `Stop that one first:  kill ${process.pid}`,
  });
  giveBack();
  ownState(folders, silent)();
});

test("Whether a stack runs can be asked without taking its state, or making one", (t) => {
  const folders = stackFolders(folderOf(t));
  assertNotRunning(folders);
  assert.equal(existsSync(folders.state), false);
  const giveBack = ownState(folders, silent);
  assert.throws(() => assertNotRunning(folders, 0), { code: "STACK_RUNS_ALREADY" });
  giveBack();
  assertNotRunning(folders);
  ownState(folders, silent)();
});

test("A stack that was killed holds nothing", async (t) => {
  const root = folderOf(t);
  const module = (name: string): string => JSON.stringify(fileURLToPath(new URL(name, import.meta.url)));
  const program = `
    const { ownState } = await import(${module("./own-state.ts")});
    const { stackFolders } = await import(${module("../folders.ts")});
    ownState(stackFolders(${JSON.stringify(root)}), console.error);
    console.log("mine");
    process.stdin.resume();`;
  const other = spawn(process.execPath, ["--input-type=module", "-e", program], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  t.after(() => other.kill("SIGKILL"));
  await once(other.stdout, "data");
  const folders = stackFolders(root);
  assert.throws(() => ownState(folders, silent), { message: new RegExp(`process ${other.pid}\\b`) });
  other.kill("SIGKILL");
  await once(other, "exit");
  assert.ok(existsSync(join(folders.supervisor, "running.pid")), "nobody tidied up");
  ownState(folders, silent)();
});

test("Where nothing can be locked that is told, and keeps no site from running", (t) => {
  const folders = stackFolders(folderOf(t));
  writeFileSync(folders.state, "no folder");
  const told: string[] = [];
  ownState(folders, (message) => void told.push(message))();
  assert.match(told.join(), /^nothing keeps a second stack from running/);
});
