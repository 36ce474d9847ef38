import assert from "node:assert/strict";
import { generateKeyPairSync, sign } from "node:crypto";
import { readFileSync, truncateSync, writeFileSync } from "node:fs";
import { suite, test } from "node:test";
import { checkpointText } from "../checkpoint.ts";
import type { Checkpoint } from "../checkpoint.ts";
import { formatRecord } from "../record.ts";
import type { LogVerdict } from "../verdict.ts";
import { createChain } from "./chain.ts";
import { verifyLog } from "./verify-log.ts";
import { edit, key, kinds, linesOf, place, refused, signed, write } from "./fixtures/test-log.ts";

suite("a checkpoint that was kept elsewhere", () => {
  test("tells a log that was cut off, rolled back and gone on with, or replaced", async (t) => {
    const path = place(t);
    await write(path, 20);
    const early = readFileSync(path);
    const checkpoint = signed(await write(path, 20));
    const found = (): string[] => kinds(verifyLog(path, { checkpoints: [checkpoint], keys: [key] }).findings);
    assert.deepEqual(found(), []);
    writeFileSync(path, early);
    assert.deepEqual(found(), ["truncated"]);
    await write(path, 40);
    assert.deepEqual(verifyLog(path).findings, [], "by itself it is whole");
    assert.deepEqual(found(), ["checkpoint"]);
    truncateSync(path, 0);
    await write(path, 40);
    assert.deepEqual(found(), ["checkpoint"]);
  });

  test("counts only with the signature of a key that may sign", async (t) => {
    const path = place(t);
    const checkpoint = signed(await write(path, 20));
    const found = (changed: Checkpoint, keys = [key]): string[] =>
      kinds(verifyLog(path, { checkpoints: [changed], keys }).findings);
    assert.deepEqual(found(checkpoint), []);
    assert.deepEqual(found(checkpoint, [`ed25519:${"A".repeat(43)}`]), ["checkpoint"]);
    assert.deepEqual(found({ ...checkpoint, through: checkpoint.through - 1 }), ["checkpoint"]);
    assert.deepEqual(found({ ...checkpoint, signature: "A".repeat(86) }), ["checkpoint"]);
    assert.deepEqual(found({ ...checkpoint, key: `ed25519:${"B".repeat(43)}` }, undefined), ["checkpoint"]);
  });
});

/** Writes a log as somebody may who can write the file and has no key: it begins after a record, with what he says was before it. */
function forge(
  path: string,
  {
    log,
    after,
    records,
    more,
  }: { log: string; after: number; records: number; more: Record<string, unknown>[] },
): void {
  const chain = createChain({ seq: after, chain: Buffer.alloc(32, 7) });
  const head = Buffer.alloc(32, 7).toString("base64url");
  const record = (event: Record<string, unknown>): string =>
    chain.link(
      `${JSON.stringify({ time: new Date(0).toISOString(), source: "ledger", severity: "notice", ...event })}\n`,
    );
  writeFileSync(
    path,
    [
      record({ event: "ledger.resumed", log, bytes: 0, digest: "" }),
      record({ event: "ledger.rotated", first: 1, last: after, head }),
      ...Array.from({ length: records }, () => chain.link(refused("forged"))),
      ...more.map(record),
    ].join(""),
  );
}

suite("a log that was forged as a whole, by who can write it and has no key", () => {
  const judged = (path: string, checkpoints: readonly Checkpoint[]): LogVerdict =>
    verifyLog(path, { checkpoints, keys: [key] });

  test("does not hold against a checkpoint about a record before it, with that one's signature copied into it too", async (t) => {
    const path = place(t);
    const genuine = signed(await write(path, 20));
    const copied = { event: "ledger.checkpoint", ...genuine };
    forge(path, { log: genuine.log, after: genuine.through + 1000, records: 10, more: [copied] });
    const { found, untold, outside, carried, checkpoints, unsigned } = judged(path, [genuine]);
    assert.deepEqual([found, outside, carried, checkpoints.count, unsigned], [0, 0, 0, 0, 13]);
    assert.match(untold[0] ?? "", /^record 21, which a checkpoint that was given is about, is not there/);
    assert.match(untold[1] ?? "", /^record 1023, which says .* given up, is not signed/);
  });

  test("nor with a signature about one of its records that says what they do not, however far back", async (t) => {
    const path = place(t);
    const genuine = signed(await write(path, 20));
    const copied = { event: "ledger.checkpoint", ...genuine };
    // More records than are remembered lie between the two.
    forge(path, { log: genuine.log, after: genuine.through - 5, records: 70_000, more: [copied] });
    const { findings, checkpoints } = verifyLog(path, { keys: [key] });
    assert.deepEqual([kinds(findings), checkpoints.count], [["checkpoint"], 0]);
    assert.match(findings[0]?.says ?? "", /says of record 21 what the log does not/);
  });

  test("nor with only its beginning replaced: what says that it was given up is not signed", async (t) => {
    const path = place(t);
    const middle = await write(path, 20);
    const genuine = signed(await write(path, 20));
    const head = JSON.parse(linesOf(path)[9] ?? "") as { chain: string };
    const chain = createChain({ seq: genuine.through, chain: Buffer.from(genuine.head, "base64url") });
    const removal = { type: "ledger.rotated", time: 0, first: 1, last: 10, head: head.chain } as const;
    edit(path, (lines) => [...lines.slice(10), chain.link(formatRecord(removal, "ledger")).trimEnd()]);
    const { findings } = judged(path, [genuine]);
    assert.deepEqual(kinds(findings), ["missing"]);
    assert.match(findings[0]?.says ?? "", /^record 11, the first, is none that a log .* begins with/);
    assert.ok(middle.through < genuine.through);
  });
});

suite("a log that gave up what a checkpoint is about", () => {
  test("holds by what the same key signed after it; signed by another, or by nobody, that can't be told", async (t) => {
    const path = place(t);
    const early = signed(await write(path, 20));
    await write(path, 300, { maxFileBytes: 8000, keepFiles: 2 });
    const untold = verifyLog(path, { checkpoints: [early], keys: [key] });
    assert.deepEqual([untold.found, untold.carried, untold.untold.length], [0, 0, 2]);
    const late = signed(await write(path, 5));
    const {
      found,
      outside,
      carried,
      untold: none,
      unsigned,
    } = verifyLog(path, {
      checkpoints: [early, late],
      keys: [key],
    });
    assert.deepEqual([found, outside, carried, none, unsigned], [0, 1, 1, [], 0]);
    const others = generateKeyPairSync("ed25519");
    const claim = { log: late.log, through: late.through, head: late.head };
    const other: Checkpoint = {
      ...claim,
      key: `ed25519:${String(others.publicKey.export({ format: "jwk" }).x)}`,
      signature: sign(null, checkpointText(claim), others.privateKey).toString("base64url"),
    };
    // Where nobody said which keys may sign, anybody's signature follows on anybody else's.
    assert.equal(verifyLog(path, { checkpoints: [early, other] }).carried, 0);
    await write(path, 7);
    assert.equal(verifyLog(path, { checkpoints: [late], keys: [key] }).unsigned, 7);
  });

  test("asks to be signed once it says so, before anything goes: so one who follows each signature to the next sees all", async (t) => {
    const path = place(t);
    const asked: number[] = [];
    const firstThere = (): number => verifyLog(path).first;
    const before: number[] = [];
    await write(path, 300, {
      maxFileBytes: 8000,
      keepFiles: 1,
      beforeRemoval: async () => {
        const { first, last } = verifyLog(path);
        before.push(first);
        asked.push(last);
      },
    });
    assert.ok(asked.length > 3);
    // What was asked for at one removal is still there at the next.
    for (let index = 1; index < asked.length; index++)
      assert.ok((before[index] ?? Infinity) <= (asked[index - 1] ?? 0), `removal ${index}`);
    assert.ok(firstThere() > 100);
  });
});
