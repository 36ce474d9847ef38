import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { asTested } from "../../../test/support/command.ts";
import { httpsGet } from "../../../test/support/https-get.ts";
import { makeProject } from "../../../test/support/project.ts";
import { verifyLog } from "../../ledger/node.ts";
import { findIsolation } from "../isolation/isolation.ts";
import { loadContract, recordedAction, stackFolders, startStack } from "../index.ts";
import type { RunningStack } from "../index.ts";

const config = `import { defineStack } from "curtainwall";
export default defineStack({
  origin: "https://localhost",
  edge: { port: 0, redirectPort: 0, threads: 1 },
  identity: { issuer: "https://127.0.0.1:1/", audience: "test", jwksUrl: "https://127.0.0.1:1/jwks" },
});`;

/** A stack in a process of its own. */
async function serve(root: string): Promise<{ child: ChildProcess; port: number; ledger: number }> {
  const script = fileURLToPath(new URL("../../../test/support/run-stack.ts", import.meta.url));
  const child = spawn(process.execPath, [...asTested, script, root], {
    stdio: ["pipe", "pipe", "ignore"],
  });
  const [said] = (await once(child.stdout, "data")) as [Buffer];
  const children = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, "utf8").trim().split(" ");
  const ledger = children.find((pid) => readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("ledger"));
  return { child, port: Number(/port (\d+)/.exec(String(said))?.[1]), ledger: Number(ledger) };
}

/** Whether a process can still write something. One that ended may lie there until somebody asks how. */
function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

const skip =
  process.platform !== "linux" || findIsolation() === "bwrap"
    ? "needs /proc, and a ledger that outlives its supervisor: a sandbox ends with it"
    : false;

/** The ledger of a supervisor that was killed: it was stopped before, with events that it has not read, and holds the log. */
async function leaveLedger(t: TestContext): Promise<{ root: string; ledger: number; goOn: () => void }> {
  const project = await makeProject({ config });
  t.after(() => project.remove());
  const { child, port, ledger } = await serve(project.root);
  t.after(() => child.kill("SIGKILL"));
  const loaded = await loadContract(project.root);
  await recordedAction(loaded, { action: "test", target: "before" }, () => undefined);
  process.kill(ledger, "SIGSTOP");
  const goOn = (): void => void (isAlive(ledger) && process.kill(ledger, "SIGCONT"));
  t.after(goOn);
  for (let count = 0; count < 20; count++)
    await httpsGet({
      host: "127.0.0.1",
      port,
      name: "localhost",
      method: "PUT",
      path: `/api/none${count}`,
      headers: { host: "localhost" },
    });
  child.kill("SIGKILL");
  await once(child, "exit");
  return { root: project.root, ledger, goOn };
}

test("a command waits until the ledger of a stack that was killed writes no more", { skip }, async (t) => {
  const { root, ledger, goOn } = await leaveLedger(t);
  // Only lets it go on: what came first is told by whether it is still there.
  setTimeout(goOn, 1000);
  const loaded = await loadContract(root);
  const overlaps = await recordedAction(loaded, { action: "test", target: "after" }, () => isAlive(ledger));
  assert.equal(overlaps, false);
  const { found, findings } = verifyLog(stackFolders(root).logFile);
  assert.deepEqual([found, findings], [0, []]);
});

test(
  "a start says which ledger still writes the log, and has it once that one ended",
  { skip },
  async (t) => {
    const { root, ledger, goOn } = await leaveLedger(t);
    const start = (): Promise<RunningStack> => startStack({ path: root, log: () => undefined });
    await assert.rejects(start(), { code: "LEDGER_IN_USE", message: new RegExp(`process ${ledger}\\b`) });
    goOn();
    await (await start()).close();
    assert.equal(isAlive(ledger), false);
    const { found, findings } = verifyLog(stackFolders(root).logFile);
    assert.deepEqual([found, findings], [0, []]);
  },
);
