import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { asTested, command } from "../../../test/support/command.ts";
import { requires } from "../../../test/requires.ts";
import { httpsGet } from "../../../test/support/https-get.ts";
import { makeProject } from "../../../test/support/project.ts";
import { readLog, verifyLog } from "../../ledger/node.ts";
import { loadContract, readLastCheckpoint, recordedAction, stackFolders, startStack } from "../index.ts";
import type { RunningStack, StackFolders } from "../index.ts";
import { openRunFolder } from "../processes/run-folder.ts";
import { findActionSockets } from "./serve-actions.ts";

const config = `import { defineStack } from "curtainwall";
export default defineStack({
  origin: "https://localhost",
  edge: { port: 0, redirectPort: 0, threads: 1 },
  identity: { issuer: "https://127.0.0.1:1/", audience: "test", jwksUrl: "https://127.0.0.1:1/jwks" },
});`;

interface Done {
  readonly code: number | null;
  readonly words: string;
}

/** Ends a subject's tokens, as an operator does. */
async function revoke(root: string, subject: string): Promise<Done> {
  const child = spawn(process.execPath, [...command, "revoke", subject, root], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let words = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (words += text));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, words };
}

/** What operators did, as the log has it. */
async function actionsIn({ logFile }: StackFolders): Promise<Record<string, unknown>[]> {
  const found: Record<string, unknown>[] = [];
  for await (const record of readLog(logFile)) if (record.source === "operator") found.push(record);
  return found;
}

const isRevoked = ({ revokedFile }: StackFolders, subject: string): boolean =>
  existsSync(revokedFile) && readFileSync(revokedFile, "utf8").includes(subject);

async function openProject(t: TestContext): Promise<StackFolders> {
  const project = await makeProject({ config });
  t.after(() => project.remove());
  return stackFolders(project.root);
}

test("an action is in the log before it is done: written by the command where no stack runs, and by the ledger where one does", async (t) => {
  const folders = await openProject(t);
  assert.deepEqual((await revoke(folders.root, "alice")).code, 0);
  assert.ok(isRevoked(folders, "alice"));
  const stack = await startStack({ path: folders.root, log: () => undefined });
  t.after(() => stack.close());
  const many = await Promise.all(["bob", "carol", "dave"].map((subject) => revoke(folders.root, subject)));
  assert.deepEqual(
    many.map(({ code }) => code),
    [0, 0, 0],
    JSON.stringify(many),
  );
  const loaded = await loadContract(folders.root);
  const seen = await recordedAction(loaded, { action: "test", target: "x" }, () => actionsIn(folders));
  const { action, target, by, seq } = seen.at(-1) ?? {};
  assert.deepEqual([action, target, typeof by, typeof seq], ["test", "x", "string", "number"]);
  const failing = recordedAction(loaded, { action: "test", target: "y" }, () => {
    throw new Error("no");
  });
  await assert.rejects(failing, /no/);
  await stack.close();
  const actions = await actionsIn(folders);
  assert.deepEqual(
    actions
      .map(
        ({ event, action: what, target: of }) =>
          `${String(event).split(".").at(-1)} ${String(what)} ${String(of)}`,
      )
      .toSorted(),
    [
      "begun revoke alice",
      "begun revoke bob",
      "begun revoke carol",
      "begun revoke dave",
      "begun test x",
      "begun test y",
      "failed test y",
    ],
  );
  const last = readLastCheckpoint(folders);
  const { found, findings } = verifyLog(folders.logFile, last === undefined ? {} : { checkpoints: [last] });
  assert.deepEqual([found, findings], [0, []]);
});

test("what the log can't take is not done, whether or not a stack runs", async (t) => {
  const folders = await openProject(t);
  // A folder in the log's place.
  mkdirSync(folders.logFile, { recursive: true });
  const { code, words } = await revoke(folders.root, "alice");
  assert.deepEqual([code, isRevoked(folders, "alice")], [1, false]);
  assert.match(words, /STACK_ACTION_UNRECORDED/);
});

test("a socket that nobody listens on is no stack: what a kill left behind keeps no action from being done", async (t) => {
  const folders = await openProject(t);
  const left = createServer();
  const stack = await startStack({ path: folders.root, log: () => undefined });
  await stack.close();
  const folder = openRunFolder(`${folders.root}#actions`);
  t.after(() => folder.remove());
  await once(left.listen(join(folder.path, "bound")), "listening");
  // Closing it removes its name; one that was renamed stays, as after a kill.
  renameSync(join(folder.path, "bound"), join(folder.path, "actions"));
  await once(left.close(), "close");
  assert.equal(findActionSockets(folders).length, 1);
  const { code, words } = await revoke(folders.root, "alice");
  assert.deepEqual([code, isRevoked(folders, "alice")], [0, true], words);
});

/** Whether a disk of our own can be put there. */
function mountSmall(folder: string): boolean {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=262144,mode=700", "none", folder], { stdio: "ignore" });
  } catch {
    return false;
  }
  return true;
}

test("while the log's disk is full the site is served and no action is done; once there is room again they are", async (t) => {
  const folders = await openProject(t);
  if (!mountSmall(folders.ledger)) return t.skip("no disk can be mounted here");
  const stack = await startStack({ path: folders.root, log: () => undefined });
  try {
    await fillAndFree(folders, stack);
  } finally {
    await stack.close();
    execFileSync("umount", ["-l", folders.ledger]);
  }
});

async function fillAndFree(folders: StackFolders, stack: RunningStack): Promise<void> {
  const ballast = join(folders.ledger, "ballast");
  try {
    writeFileSync(ballast, Buffer.alloc(1_000_000));
  } catch {
    // As much as there was room for.
  }
  // What the disk's last block still has room for is used up by these.
  const loaded = await loadContract(folders.root);
  const act = (): Promise<number> => recordedAction(loaded, { action: "test", target: "x" }, () => 0);
  let isFull = false;
  while (!isFull) await act().catch(() => (isFull = true));
  await assert.rejects(act(), {
    code: "STACK_ACTION_UNRECORDED",
    message: /ENOSPC/,
  });
  const refused = await revoke(folders.root, "bob");
  assert.deepEqual([refused.code, isRevoked(folders, "bob")], [1, false]);
  assert.match(refused.words, /STACK_ACTION_UNRECORDED/);
  const page = await httpsGet({
    host: "127.0.0.1",
    port: stack.port,
    name: "localhost",
    headers: { host: "localhost" },
  });
  assert.equal(page.status, 200);
  rmSync(ballast);
  while ((await act().catch(() => 1)) !== 0) await pause(100);
  const done = await revoke(folders.root, "bob");
  assert.deepEqual([done.code, isRevoked(folders, "bob")], [0, true], done.words);
  await stack.close();
  const { found, findings } = verifyLog(folders.logFile);
  assert.deepEqual([found, findings], [0, []]);
}

/** A stack in a process of its own. */
async function serve(root: string): Promise<{ child: ChildProcess; ledger: number }> {
  const script = fileURLToPath(new URL("../../../test/support/run-stack.ts", import.meta.url));
  const child = spawn(process.execPath, [...asTested, script, root], {
    stdio: ["pipe", "pipe", "ignore"],
  });
  await once(child.stdout, "data");
  const children = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, "utf8").trim().split(" ");
  const ledger = children.find((pid) => readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("ledger"));
  return { child, ledger: Number(ledger ?? 0) };
}

test(
  "whatever is killed meanwhile, nothing is done that the log does not have",
  {
    skip: requires("bwrap").skip || process.platform !== "linux" ? "needs /proc" : false,
  },
  async (t) => {
    const folders = await openProject(t);
    const loaded = await loadContract(folders.root);
    const done: string[] = [];
    let refused = 0;
    for (let round = 0; round < 4; round++) {
      const { child, ledger } = await serve(folders.root);
      let isGoing = true;
      const acting = Array.from({ length: 4 }, async (_, line) => {
        for (let count = 0; isGoing; count++) {
          const target = `${round}-${line}-${count}`;
          await recordedAction(loaded, { action: "test", target }, () => void done.push(target)).catch(
            (error: { code?: string }) => {
              assert.equal(error.code, "STACK_ACTION_UNRECORDED");
              refused++;
            },
          );
        }
      });
      const from = done.length;
      while (done.length < from + 20) await pause(5);
      // By turns the ledger alone, which is started again, and the supervisor, which all others end with.
      if (round % 2 === 0 && ledger > 0) {
        process.kill(ledger, "SIGKILL");
        const until = done.length;
        while (done.length < until + 10) await pause(5);
      }
      child.kill("SIGKILL");
      await once(child, "exit");
      isGoing = false;
      await Promise.all(acting);
    }
    const recorded = new Set((await actionsIn(folders)).map(({ target }) => target));
    assert.ok(done.length >= 80, `${done.length} were done`);
    assert.deepEqual(
      done.filter((target) => !recorded.has(target)),
      [],
    );
    t.diagnostic(`${done.length} done, ${refused} refused, ${recorded.size} recorded`);
    const { found, findings } = verifyLog(folders.logFile);
    assert.deepEqual([found, findings], [0, []]);
  },
);
