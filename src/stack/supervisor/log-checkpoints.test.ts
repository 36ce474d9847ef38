import assert from "node:assert/strict";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { makeProject } from "../../../test/support/project.ts";
import { verifyLog } from "../../ledger/node.ts";
import { readLastCheckpoint, startStack } from "../index.ts";
import type { RunningStack } from "../index.ts";

const config = `import { defineStack } from "curtainwall";
export default defineStack({ origin: "https://localhost", edge: { port: 0, redirectPort: 0, threads: 1 } });`;

test("A stack that stops leaves a log that is signed to its end; taken back meanwhile, it is signed no more, and that is an alarm", async (t) => {
  const project = await makeProject({ config });
  t.after(() => project.remove());
  const messages: string[] = [];
  const run = async (): Promise<RunningStack["folders"]> => {
    const stack = await startStack({ path: project.root, log: ({ message }) => messages.push(message) });
    await stack.close();
    return stack.folders;
  };
  const folders = await run();
  const early = readFileSync(folders.logFile);
  await run();
  const last = readLastCheckpoint(folders);
  assert.ok(last !== undefined);
  const whole = verifyLog(folders.logFile, { checkpoints: [last], keys: [last.key] });
  assert.deepEqual([whole.findings, whole.outside, whole.checkpoints.count >= 2], [[], 1, true]);
  // All but the checkpoint's own record is signed.
  assert.equal(last.through, whole.last - 1);
  assert.equal(messages.filter((message) => message.includes("not signed")).length, 0);

  writeFileSync(folders.logFile, early.subarray(0, early.indexOf(10) + 1));
  await run();
  assert.match(
    messages.at(-1) ?? "",
    /the log was not signed: it ends with record \d+; what was signed before/,
  );
  assert.deepEqual(readLastCheckpoint(folders), last);
  assert.deepEqual(verifyLog(folders.logFile).findings, [], "by itself nothing shows");
  assert.equal(verifyLog(folders.logFile, { checkpoints: [last] }).found, 1);

  rmSync(folders.logFile);
  await run();
  assert.match(messages.at(-1) ?? "", /another log/);
});
