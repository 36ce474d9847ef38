import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { asTested } from "../../../test/support/command.ts";
import { makeProject } from "../../../test/support/project.ts";
import { lockLog, readLog, verifyLog } from "../../ledger/node.ts";
import { loadContract, readLastCheckpoint, recordedAction, stackFolders } from "../index.ts";
import type { StackFolders } from "../index.ts";

/** How often it is killed. More of it, for who changes the ledger or what is around it: `CURTAINWALL_KILLS=30`. */
const kills = Number(process.env["CURTAINWALL_KILLS"] ?? 3);

const config = `import { defineStack } from "curtainwall";
export default defineStack({
  origin: "https://localhost",
  edge: { port: 0, redirectPort: 0, threads: 1 },
  ledger: { maxFileBytes: 65_536, keepFiles: 2 },
});`;

/** Operators who act at the same time. */
const operators = 8;
/** Of each, in a round: together more than a file of the log. */
const actions = 30;

const program = `
  const { startStack } = await import(${JSON.stringify(new URL("../index.ts", import.meta.url).href)});
  const stack = await startStack({ path: process.env.SITE, log: ({ message }) => console.log(message) });
  console.log(JSON.stringify(Object.values(stack.pids())));`;

/** A supervisor with its domains. */
interface Tree {
  /** What it said that is no success. */
  readonly said: readonly string[];
  /** Kills all of it, or the supervisor alone, which the others end with. */
  kill(isWhole: boolean): Promise<void>;
}

async function startTree(t: TestContext, root: string): Promise<Tree> {
  const child = spawn(process.execPath, [...asTested, "--input-type=module", "-e", program], {
    env: { ...process.env, SITE: root },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const closed = once(child, "close");
  t.after(() => child.kill("SIGKILL"));
  const said: string[] = [];
  const { promise, resolve } = Promise.withResolvers<number[]>();
  createInterface({ input: child.stdout }).on("line", (line) => {
    if (line.startsWith("[")) resolve(JSON.parse(line) as number[]);
    else said.push(line);
  });
  void closed.then(() => resolve([]));
  const pids = await promise;
  assert.ok(pids.length > 1, said.join("\n"));
  return {
    said,
    async kill(isWhole) {
      child.kill("SIGKILL");
      if (isWhole) for (const pid of pids) killIfThere(pid);
      await closed;
    },
  };
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended with the supervisor.
  }
}

/** Numbers of the actions that the log has. */
async function actionsIn({ logFile }: StackFolders): Promise<number[]> {
  const numbers: number[] = [];
  for await (const { event, target } of readLog(logFile))
    if (event === "operator.action.begun") numbers.push(Number.parseInt(String(target), 10));
  return numbers;
}

test("A stack that is killed again and again, supervisor and all domains, while its log comes round: no action that was confirmed is lost, and the log verifies each time", async (t) => {
  const project = await makeProject({ config });
  t.after(() => project.remove());
  const loaded = await loadContract(project.root);
  const folders = stackFolders(project.root);
  const confirmed = new Set<number>();
  let number = 0;
  for (let kill = 0; kill < kills; kill++) {
    const tree = await startTree(t, project.root);
    const { promise: isEnough, resolve: enough } = Promise.withResolvers<void>();
    const killAt = number + operators * (actions - (kill % 7) - 1);
    let isOver = false;
    async function act(): Promise<void> {
      for (let done = 0; done < actions && !isOver; done++) {
        const own = ++number;
        const action = { action: "test", target: `${own} ${"x".repeat(250)}` };
        const wasDone = await recordedAction(loaded, action, () => confirmed.add(own)).then(
          () => true,
          () => false,
        );
        if (number >= killAt || !wasDone) enough();
      }
    }
    const all = Promise.all(Array.from({ length: operators }, act));
    await isEnough;
    isOver = true;
    await tree.kill(kill % 2 === 0);
    await all;
    // A ledger that outlives its supervisor writes on until it holds this no more.
    lockLog(folders.logLockFile, 30_000)();

    const there = await actionsIn(folders);
    const oldest = Math.min(...there);
    // They come in whatever order: next to the oldest that is there may stand one that went.
    const lost = [...confirmed].filter((one) => one >= oldest + operators && !there.includes(one));
    assert.deepEqual(lost, [], `kill ${kill}`);
    assert.ok(confirmed.size > 0 && (kill < 2 || oldest > 1), "the log came round");
    assert.deepEqual(
      tree.said.filter((line) => /not signed|damaged/.test(line)),
      [],
      `kill ${kill}`,
    );
    const signed = readLastCheckpoint(folders);
    const verdict = verifyLog(
      folders.logFile,
      signed === undefined ? {} : { checkpoints: [signed], keys: [signed.key] },
    );
    assert.deepEqual([verdict.findings, verdict.untold], [[], []], `kill ${kill}`);
    assert.ok(verdict.last >= there.length);
  }
  t.diagnostic(`${kills} kills, ${confirmed.size} of ${number} actions confirmed, none lost`);
});
