import assert from "node:assert/strict";
import { generateKeyPairSync, sign } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { checkpointText, formatRecord } from "../../ledger/index.ts";
import type { Checkpoint, CheckpointClaim } from "../../ledger/index.ts";
import { openLogFile, verifyLog } from "../../ledger/node.ts";
import { askCheckpoints } from "./ask-checkpoints.ts";

const { privateKey, publicKey } = generateKeyPairSync("ed25519");
const key = `ed25519:${String(publicKey.export({ format: "jwk" }).x)}`;
const signed = (claim: CheckpointClaim): Checkpoint => ({
  ...claim,
  key,
  signature: sign(null, checkpointText(claim), privateKey).toString("base64url"),
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
