import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { formatRecord } from "../../ledger/index.ts";
import type { Checkpoint, CheckpointClaim } from "../../ledger/index.ts";
import { openLogFile, verifyLog } from "../../ledger/node.ts";
import type { LogFile } from "../../ledger/node.ts";
import { checkpointKeyFile, keyInFile } from "./log-key.ts";
import {
  createCheckpointSigner,
  lastCheckpointFile,
  readLastCheckpoint,
  readWitnessedCheckpoint,
} from "./sign-checkpoints.ts";
import type { CheckpointSigner } from "./sign-checkpoints.ts";

function place(t: TestContext): { supervisor: string; logFile: string } {
  const folder = mkdtempSync(join(tmpdir(), "curtainwall-checkpoint-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return { supervisor: join(folder, "supervisor"), logFile: join(folder, "events.jsonl") };
}

const keep = { maxFileBytes: 4000, keepFiles: 1 };

const signerOf = (folders: ReturnType<typeof place>, witnessFile?: string): CheckpointSigner =>
  createCheckpointSigner({ folders, key: keyInFile(folders), keep, witnessFile });

async function add(file: string, count: number): Promise<CheckpointClaim> {
  const log = openLogFile({ path: file, onError: (error) => assert.fail(error) });
  for (let number = 0; number < count; number++)
    log.append(formatRecord({ type: "stack.stopped", time: number, reason: "test" }, "supervisor"));
  await log.flush();
  await log.close();
  return claimOf(log);
}

const claimOf = (log: LogFile): CheckpointClaim => {
  const { seq, chain } = log.head();
  return { log: log.log, through: seq, head: Buffer.from(chain).toString("base64url") };
};

const linesOf = (file: string): string[] => readFileSync(file, "utf8").trimEnd().split("\n");

test("what is signed holds against the log, by a key that nobody else may read, also after a restart", async (t) => {
  const folders = place(t);
  const first = await signerOf(folders).sign(await add(folders.logFile, 3));
  const second = await signerOf(folders).sign(await add(folders.logFile, 3));
  assert.ok(typeof first === "object" && typeof second === "object");
  assert.equal(first.key, second.key);
  const verdict = verifyLog(folders.logFile, { checkpoints: [first, second], keys: [first.key] });
  assert.deepEqual([verdict.findings, verdict.outside], [[], 2]);
  assert.deepEqual(readLastCheckpoint(folders), second);
  for (const file of [checkpointKeyFile(folders), lastCheckpointFile(folders)])
    assert.equal(statSync(file).mode & 0o777, 0o600);
});

test("less than was signed, something else, and another log are refused; the same again and more are signed", async (t) => {
  const folders = place(t);
  const signer = signerOf(folders);
  const claim = await add(folders.logFile, 5);
  const refusal = async (changed: Partial<CheckpointClaim>): Promise<string> => {
    const result = await signer.sign({ ...claim, ...changed });
    return typeof result === "string" ? result : "signed";
  };
  const other = "A".repeat(43);
  assert.equal(await refusal({}), "signed");
  assert.match(await refusal({ through: claim.through - 1, head: other }), /^it ends with record 5;/);
  assert.match(await refusal({ head: other }), /^record 6 is not the one/);
  assert.match(await refusal({ log: "A".repeat(22) }), /^it is another log/);
  assert.equal(await refusal({}), "signed");
  assert.equal(typeof (await signer.sign(await add(folders.logFile, 1))), "object");
});

test("what could not be read again is not signed, so that it can't end all signing", async (t) => {
  const folders = place(t);
  const signer = signerOf(folders);
  const claim = await add(folders.logFile, 1);
  for (const wrong of [{ through: 0 }, { through: 0.5 }, { head: "short" }, { log: "short" }])
    assert.match(JSON.stringify(await signer.sign({ ...claim, ...wrong })), /nothing that can be signed/);
  assert.equal(readLastCheckpoint(folders), undefined);
  assert.equal(typeof (await signer.sign(claim)), "object");
});

test("more is signed only if it is seen to go on from what was signed: not over records that were changed, left out or given up", async (t) => {
  const folders = place(t);
  const { logFile } = folders;
  const signer = signerOf(folders);
  assert.equal(typeof (await signer.sign(await add(logFile, 5))), "object");
  const claim = await add(logFile, 5);
  const genuine = readFileSync(logFile, "utf8");
  const refusal = async (text: string, changed: Partial<CheckpointClaim> = {}): Promise<string> => {
    writeFileSync(logFile, text);
    const result = await signer.sign({ ...claim, ...changed });
    return typeof result === "string" ? result : "signed";
  };
  const lines = genuine.trimEnd().split("\n");
  const without = (from: number, count: number): string => `${lines.toSpliced(from, count).join("\n")}\n`;
  assert.match(
    await refusal(genuine, { head: "A".repeat(43) }),
    /^record 11 is not in the log as it is said/,
  );
  assert.match(await refusal(genuine, { through: 12 }), /^record 12 is not in the log as it is said/);
  assert.match(await refusal(without(7, 1)), /^record 9 does not follow/);
  assert.match(await refusal(genuine.replace('"seq":8', '"seq":08')), /^record 9 does not follow/);
  assert.match(
    await refusal(without(0, 6)),
    /^record 6, which was signed before, is not in the log any more/,
  );
  assert.match(
    await refusal(genuine.replace(/(?<="seq":6,"chain":").{4}/, "AAAA")),
    /^record 7 does not follow/,
  );
  assert.match(await refusal(""), /^record 6, which was signed before, is not in the log any more/);
  assert.equal(await refusal(genuine), "signed");
});

test("a log that gives up its oldest records again and again is signed on, as long as it asks before each", async (t) => {
  const folders = place(t);
  const signer = signerOf(folders);
  let signed = 0;
  const log: LogFile = openLogFile({
    path: folders.logFile,
    ...keep,
    onError: (error) => assert.fail(error),
    beforeRemoval: async () => {
      assert.equal(typeof (await signer.sign(claimOf(log))), "object");
      signed++;
    },
  });
  for (let number = 0; number < 200; number++) {
    log.append(formatRecord({ type: "stack.stopped", time: number, reason: "test" }, "supervisor"));
    if (number % 5 === 0) await log.flush();
  }
  await log.flush();
  assert.equal(typeof (await signer.sign(claimOf(log))), "object");
  await log.close();
  assert.ok(signed > 5);
});

suite("records that the log says it gave up", () => {
  /** Writes into a log that stands still, as who has the ledger's uid can, that its records up to one were given up. */
  async function sayGivenUp(logFile: string, last: number): Promise<CheckpointClaim> {
    const { chain: head } = JSON.parse(linesOf(logFile)[last - 1] ?? "") as { chain: string };
    const log = openLogFile({ path: logFile, onError: (error) => assert.fail(error) });
    log.append(formatRecord({ type: "ledger.rotated", time: 0, first: 1, last, head }, "ledger"));
    await log.close();
    return claimOf(log);
  }

  test("are not signed away if as much did not come after them, whether they are there or gone", async (t) => {
    const folders = place(t);
    const { logFile } = folders;
    const signer = signerOf(folders);
    assert.equal(typeof (await signer.sign(await add(logFile, 5))), "object");
    await add(logFile, 2);
    const claim = await sayGivenUp(logFile, 3);
    const problem =
      /^"record 9 says that all up to record 3 was given up for newer records; those are \d+ bytes, and the log keeps 4000/;
    assert.match(JSON.stringify(await signer.sign(claim)), problem);
    writeFileSync(logFile, `${linesOf(logFile).slice(3).join("\n")}\n`);
    assert.match(JSON.stringify(await signer.sign(claim)), problem);
    // What nobody signs is no success for who looks the log through.
    const last = readLastCheckpoint(folders) ?? assert.fail();
    assert.match(verifyLog(logFile, { checkpoints: [last] }).untold.join(), /^record 9, which says that/);
  });

  test("are not by a second record that says less", async (t) => {
    const folders = place(t);
    const signer = signerOf(folders);
    assert.equal(typeof (await signer.sign(await add(folders.logFile, 12))), "object");
    await add(folders.logFile, 20);
    await sayGivenUp(folders.logFile, 25);
    const claim = await sayGivenUp(folders.logFile, 1);
    assert.match(JSON.stringify(await signer.sign(claim)), /^"record 34 says that all up to record 25/);
  });

  test("are given up in files that are smaller, since the contract's were: more of those are kept, and what was signed goes on", async (t) => {
    const folders = place(t);
    const write = async (maxFileBytes: number, count: number): Promise<void> => {
      const keep = { maxFileBytes, keepFiles: 4 };
      const signer = createCheckpointSigner({ folders, key: keyInFile(folders), keep });
      const sign = async (): Promise<void> =>
        assert.equal(typeof (await signer.sign(claimOf(log))), "object");
      const log: LogFile = openLogFile({
        path: folders.logFile,
        ...keep,
        onError: (error) => assert.fail(error),
        beforeRemoval: sign,
      });
      for (let number = 0; number < count; number++) {
        log.append(formatRecord({ type: "stack.stopped", time: number, reason: "test" }, "supervisor"));
        await log.flush();
      }
      await sign();
      await log.close();
    };
    await write(1000, 50);
    await write(6000, 200);
    const last = readLastCheckpoint(folders) ?? assert.fail();
    const { findings, untold, first } = verifyLog(folders.logFile, { checkpoints: [last], keys: [last.key] });
    assert.deepEqual([findings, untold], [[], []]);
    assert.ok(first > 1);
  });
});

test("two that are asked for at once are signed one after the other, and the lesser is refused", async (t) => {
  const folders = place(t);
  const signer = signerOf(folders);
  const lesser = await add(folders.logFile, 2);
  const greater = await add(folders.logFile, 2);
  const [first, second] = await Promise.all([signer.sign(greater), signer.sign(lesser)]);
  assert.deepEqual([typeof first, typeof second], ["object", "string"]);
});

test("a memory that is away, or older, is made up for by what the key signed and the log has: one that was written anew before it is not signed", async (t) => {
  for (const isAway of [true, false]) {
    const folders = place(t);
    const { logFile } = folders;
    const sign = async (): Promise<void> => {
      const result = await signerOf(folders).sign(await add(logFile, 3));
      assert.ok(typeof result === "object");
      const log = openLogFile({ path: logFile, onError: (error) => assert.fail(error) });
      log.append(formatRecord({ type: "ledger.checkpoint", time: 0, ...result }, "ledger"));
      await log.close();
    };
    await sign();
    const older = readFileSync(lastCheckpointFile(folders));
    await sign();
    if (isAway) rmSync(lastCheckpointFile(folders));
    else writeFileSync(lastCheckpointFile(folders), older);
    await sign();
    assert.deepEqual(verifyLog(logFile).findings, []);
    const later = linesOf(logFile).findLast((line) => line.includes('"ledger.checkpoint"')) ?? "";
    writeFileSync(logFile, `${linesOf(logFile).slice(0, 5).join("\n")}\n`);
    await add(logFile, 30);
    const copied = JSON.parse(later) as Checkpoint;
    const log = openLogFile({ path: logFile, onError: (error) => assert.fail(error) });
    log.append(formatRecord({ ...copied, type: "ledger.checkpoint", time: 0 }, "ledger"));
    await log.close();
    if (isAway) rmSync(lastCheckpointFile(folders));
    else writeFileSync(lastCheckpointFile(folders), older);
    assert.match(
      JSON.stringify(await signerOf(folders).sign(claimOf(log))),
      /record 12 is not the one that was signed before/,
    );
  }
});

test("without knowing what was signed nothing is signed", async (t) => {
  const folders = place(t);
  const signer = signerOf(folders);
  const claim = await add(folders.logFile, 2);
  await signer.sign(claim);
  writeFileSync(lastCheckpointFile(folders), "{");
  await assert.rejects(signer.sign(claim), { code: "STACK_FILE_UNREADABLE" });
});

test("a witness elsewhere tells a log that was taken back together with what the supervisor remembers; without its folder nothing is signed", async (t) => {
  const folders = place(t);
  const witness = join(dirname(folders.logFile), "elsewhere", "log.json");
  const signer = signerOf(folders, witness);
  const refusal = async (claim: CheckpointClaim): Promise<string> => JSON.stringify(await signer.sign(claim));
  assert.match(await refusal(await add(folders.logFile, 2)), /the folder of its witness .* is not there/);
  mkdirSync(dirname(witness));
  const early = await add(folders.logFile, 2);
  assert.equal(typeof (await signer.sign(early)), "object");
  const copies = [folders.logFile, lastCheckpointFile(folders)].map(
    (file) => [file, readFileSync(file)] as const,
  );
  const late = await add(folders.logFile, 3);
  const signed = await signer.sign(late);
  assert.deepEqual(JSON.parse(readFileSync(witness, "utf8")), signed);
  for (const [file, bytes] of copies) writeFileSync(file, bytes);
  assert.equal(typeof (await signerOf(folders).sign(early)), "object", "by itself nothing shows");
  assert.match(await refusal(early), /^"it ends with record \d+; what was signed before/);
  const site = {
    root: dirname(folders.logFile),
    contract: { ledger: { maxFileBytes: 1, keepFiles: 1, witnessFile: "elsewhere/log.json" } },
  };
  const witnessed = readWitnessedCheckpoint(site);
  assert.ok(witnessed !== undefined);
  assert.deepEqual(
    verifyLog(folders.logFile, { checkpoints: [witnessed] }).findings.map(({ kind }) => kind),
    ["truncated"],
  );
  writeFileSync(witness, "{}");
  await assert.rejects(signer.sign(late), { code: "STACK_FILE_UNREADABLE" });
});
