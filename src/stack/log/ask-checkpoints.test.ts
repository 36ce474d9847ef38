import assert from "node:assert/strict";
import { generateKeyPairSync, sign } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { setImmediate } from "node:timers/promises";
import { checkpointText, formatRecord } from "../../ledger/index.ts";
import type { Checkpoint, CheckpointClaim } from "../../ledger/index.ts";
import { openLogFile, verifyLog } from "../../ledger/node.ts";
import { askCheckpoints } from "./ask-checkpoints.ts";
import type { CheckpointRequests } from "./ask-checkpoints.ts";

const { privateKey, publicKey } = generateKeyPairSync("ed25519");
const key = `ed25519:${String(publicKey.export({ format: "jwk" }).x)}`;
const signed = (claim: CheckpointClaim): Checkpoint => ({
  ...claim,
  key,
  signature: sign(null, checkpointText(claim), privateKey).toString("base64url"),
});

/** A log, who asks for its checkpoints, and what was asked. */
interface Asking extends CheckpointRequests {
  readonly asked: readonly number[];
  /** Writes so many records. */
  write(count: number, type?: "stack.stopped" | "stack.domain.exited"): Promise<void>;
  /** Answers what was asked last. */
  sign(): Promise<void>;
  refuse(): void;
}

function openAsking(t: TestContext): Asking {
  const folder = mkdtempSync(join(tmpdir(), "curtainwall-checkpoints-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  t.mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
  const claims: CheckpointClaim[] = [];
  const asked: number[] = [];
  let written: CheckpointRequests["written"] = () => undefined;
  const log = openLogFile({
    path: join(folder, "events.jsonl"),
    onError: (error) => assert.fail(error),
    onWritten: (hasAlert) => written(hasAlert),
  });
  t.after(() => log.close());
  const checkpoints = askCheckpoints(log, (claim) => {
    claims.push(claim);
    asked.push(claim.through);
  });
  ({ written } = checkpoints);
  return {
    ...checkpoints,
    asked,
    async write(count, type = "stack.stopped") {
      for (let number = 0; number < count; number++)
        log.append(formatRecord({ type, time: 0 }, "supervisor"));
      await log.flush();
    },
    async sign() {
      checkpoints.answered(signed(claims.at(-1) as CheckpointClaim));
      await log.flush();
    },
    refuse: () => checkpoints.answered(undefined),
  };
}

test("A flood has its log signed once a second, however many thousands of records come in it; few records wait for their minute", async (t) => {
  const { asked, write, sign } = openAsking(t);
  await write(1);
  t.mock.timers.tick(1000);
  assert.deepEqual(asked, [2], "the first one, with the record that opens the log");
  await sign();
  t.mock.timers.tick(10_000);
  await write(999);
  assert.equal(asked.length, 1, "the last checkpoint's own record needs none");
  await write(1);
  assert.equal(asked.length, 2);
  for (let thousands = 0; thousands < 5; thousands++) await write(1000);
  assert.equal(asked.length, 2, "one at a time");
  await sign();
  t.mock.timers.tick(999);
  assert.equal(asked.length, 2, "and none within a second");
  t.mock.timers.tick(1);
  assert.deepEqual([asked.length, asked[2]], [3, 6004]);
  await sign();
  await write(900);
  t.mock.timers.tick(40_000);
  assert.equal(asked.length, 3);
  t.mock.timers.tick(60_000);
  assert.equal(asked.length, 4);
});

test("An alert is signed at once; those that follow it are so together, five seconds later, and of themselves they cause no more", async (t) => {
  const { asked, write, sign } = openAsking(t);
  await write(3);
  assert.deepEqual(asked, []);
  await write(1, "stack.domain.exited");
  assert.deepEqual(asked, [5]);
  await sign();
  for (let second = 0; second < 4; second++) {
    t.mock.timers.tick(1000);
    await write(100, "stack.domain.exited");
  }
  t.mock.timers.tick(999);
  assert.equal(asked.length, 1);
  t.mock.timers.tick(1);
  assert.deepEqual(asked, [5, 406]);
  await sign();
  await write(900);
  t.mock.timers.tick(50_000);
  assert.equal(asked.length, 2, "what was signed is no reason any more");
});

test("What is refused is asked again after a minute, whatever comes meanwhile: each refusal is an alarm", async (t) => {
  const { asked, write, sign, refuse } = openAsking(t);
  await write(1, "stack.domain.exited");
  assert.equal(asked.length, 1);
  refuse();
  await write(5000, "stack.domain.exited");
  t.mock.timers.tick(59_000);
  assert.equal(asked.length, 1);
  t.mock.timers.tick(1000);
  assert.equal(asked.length, 2);
  await sign();
  t.mock.timers.tick(4000);
  await write(1, "stack.domain.exited");
  assert.equal(asked.length, 2);
  t.mock.timers.tick(1000);
  assert.equal(asked.length, 3);
});

test("A log that is asked to end while a checkpoint is on its way waits for it, and has all but the last one's record signed", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "curtainwall-checkpoints-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "events.log");
  const log = openLogFile({ path: file, onError: (error) => assert.fail(error) });
  const write = (): Promise<unknown> =>
    log.record(formatRecord({ type: "stack.stopped", time: 0 }, "supervisor"));
  const asked: CheckpointClaim[] = [];
  const checkpoints = askCheckpoints(log, (claim) => asked.push(claim));
  await write();
  const early = checkpoints.ask(60_000);
  await write();
  assert.equal(asked.length, 1);
  let ended = false;
  const end = checkpoints.finish(60_000).then(() => (ended = true));
  await log.flush();
  await setImmediate();
  assert.equal(ended, false, "it waits for what was asked for before");
  checkpoints.answered(signed(asked[0] as CheckpointClaim));
  await early;
  while (asked.length < 2) await setImmediate();
  assert.equal(ended, false, "what came since is signed too");
  checkpoints.answered(signed(asked[1] as CheckpointClaim));
  await end;
  await log.close();
  const { last, checkpoints: found, findings } = verifyLog(file, { keys: [key] });
  assert.deepEqual([findings, found.count, found.through], [[], 2, last - 1]);
});
