import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { command } from "../../../test/support/command.ts";
import { makeProject } from "../../../test/support/project.ts";
import { formatRecord } from "../../ledger/index.ts";
import { openLogFile } from "../../ledger/node.ts";
import type { LogFile } from "../../ledger/node.ts";
import { stackFolders } from "../index.ts";
import type { StackFolders } from "../index.ts";
import { keyInFile } from "./log-key.ts";
import { createFloodAlarm, lastFloodFile, readLastFlood } from "./log-floods.ts";
import { createCheckpointSigner } from "./sign-checkpoints.ts";
import type { CheckpointSigner } from "./sign-checkpoints.ts";

const keep = { maxFileBytes: 65_536, keepFiles: 2 };
const config = `import { defineStack } from "curtainwall";
export default defineStack({ origin: "https://localhost", ledger: ${JSON.stringify(keep)} });`;

interface Told {
  readonly folders: StackFolders;
  readonly said: string[];
  readonly recorded: unknown[];
}

/** A log that comes round again and again, in which each record is so much later than the one before. */
async function comeRound(
  t: TestContext,
  { recordEveryMs, restartEvery = Infinity }: { recordEveryMs: number; restartEvery?: number },
): Promise<Told> {
  const project = await makeProject({ config });
  t.after(() => project.remove());
  const folders = stackFolders(project.root);
  mkdirSync(dirname(folders.logFile), { recursive: true });
  const said: string[] = [];
  const recorded: unknown[] = [];
  let nowMs = 1_800_000_000_000;
  const now = (): number => nowMs;
  const alarm = createFloodAlarm(
    { folders, log: ({ message }) => said.push(message), events: (event) => recorded.push(event) },
    now,
  );
  const start = (): CheckpointSigner =>
    createCheckpointSigner({ folders, key: keyInFile(folders), keep, onFlood: alarm, now });
  let signer = start();
  async function sign(): Promise<void> {
    const { seq: through, chain } = log.head();
    const head = Buffer.from(chain).toString("base64url");
    assert.equal(typeof (await signer.sign({ log: log.log, through, head })), "object");
  }
  const log: LogFile = openLogFile({
    path: folders.logFile,
    ...keep,
    now,
    onError: (error) => assert.fail(error),
    beforeRemoval: sign,
  });
  for (let number = 0; number < 1500; number++) {
    nowMs += recordEveryMs;
    log.append(formatRecord({ type: "stack.stopped", time: nowMs, reason: "x".repeat(100) }, "supervisor"));
    if (number % 10 === 0) await log.flush();
    if (number % restartEvery !== 0) continue;
    await sign();
    signer = start();
  }
  await log.flush();
  await sign();
  await log.close();
  return { folders, said, recorded };
}

function verify(...args: string[]): { code: number | null; out: string; words: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [...command, "log", "verify", ...args], {
    encoding: "utf8",
  });
  return { code: status, out: stdout, words: stderr };
}

test("Records that a flood pushed out are an alarm: to who watches the stack, in the log, and for log verify, whose log is whole all the same", async (t) => {
  const { folders, said, recorded } = await comeRound(t, { recordEveryMs: 10 });
  assert.equal(said.length, 1, "it is told once an hour");
  assert.match(
    said[0] ?? "",
    /^the log is flooded: 65536 bytes were written within \d+ seconds?, and records up to \d+ went for it/,
  );
  assert.deepEqual(
    recorded.map((event) => (event as { type: string }).type),
    ["ledger.flooded"],
  );
  const { code, out, words } = verify(folders.root);
  assert.equal(code, 0, words + out);
  assert.match(
    words,
    /look at a flood: until 2027-.* the supervisor saw 65,536 bytes written within \d+ seconds?, and records up to \d+ went/,
  );
  assert.match(words, /look at how short this log is: all of it was written within \d+ seconds?/);
  const { flood } = JSON.parse(verify(folders.root, "--json").out) as { flood: unknown };
  assert.deepEqual(flood, readLastFlood(folders));
  // A copy tells by its own records.
  const copy = verify(folders.logFile);
  assert.match(copy.words, /how short this log is/);
  assert.doesNotMatch(copy.words, /a flood: until/);
});

test("A flood is seen as one by supervisors that are started again and again, of which none lives to see much of it; one in months is none of them", async (t) => {
  // Each sees an eighth of what is kept.
  const restarted = await comeRound(t, { recordEveryMs: 10, restartEvery: 70 });
  assert.deepEqual(
    restarted.recorded.map((event) => (event as { type: string }).type),
    ["ledger.flooded"],
  );
  assert.match(restarted.said[0] ?? "", /^the log is flooded: 65536 bytes were written within \d+ seconds?/);
  const slow = await comeRound(t, { recordEveryMs: 3_600_000, restartEvery: 70 });
  assert.deepEqual([slow.said, slow.recorded], [[], []]);
});

test("A log that comes round in months is none", async (t) => {
  const { folders, said, recorded } = await comeRound(t, { recordEveryMs: 3_600_000 });
  assert.deepEqual([said, recorded, readLastFlood(folders)], [[], [], undefined]);
  assert.doesNotMatch(verify(folders.root).words, /look at/);
  // What lies there of another log, or is damaged, says nothing.
  for (const text of [
    "{",
    JSON.stringify({ log: "x".repeat(22), time: "2027", through: 1, bytes: 1, withinMs: 1 }),
  ]) {
    writeFileSync(lastFloodFile(folders), text);
    assert.doesNotMatch(verify(folders.root).words, /look at/);
  }
});
