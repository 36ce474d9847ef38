import assert from "node:assert/strict";
import { appendFileSync, writeFileSync } from "node:fs";
import { suite, test } from "node:test";
import type { LedgerRecord } from "../record.ts";
import { followRecords } from "./follow-records.ts";
import { lastRecords } from "./last-records.ts";
import { readLog } from "./read-log.ts";
import { verifyLog } from "./verify-log.ts";
import { edit, idsOf, kinds, linesOf, place, refused, write } from "./fixtures/test-log.ts";

suite("what lies in a log's files and in no chain", () => {
  test("an unfinished line is named, and is no record", async (t) => {
    const path = place(t);
    await write(path, 5);
    const forged = refused("forged").trimEnd();
    appendFileSync(path, forged);
    const { findings, unfinished } = verifyLog(path);
    assert.deepEqual(findings, []);
    assert.deepEqual(unfinished, { file: "events.jsonl", line: 7, bytes: forged.length });
    assert.deepEqual(await idsOf(path), ["r0", "r1", "r2", "r3", "r4"]);
  });

  test("a file of unchained lines before a log that says it began without any: foreign; before one that had some: older", async (t) => {
    const path = place(t);
    await write(path, 5);
    writeFileSync(`${path}.1`, refused("forged").repeat(3));
    const { findings, before } = verifyLog(path);
    assert.deepEqual([kinds(findings), before], [["foreign"], 0]);
    assert.match(
      findings[0]?.says ?? "",
      /^3 lines lie in files before record 1: the log says that none did/,
    );
    const grown = place(t);
    writeFileSync(`${grown}.1`, refused("older").repeat(3));
    await write(grown, 5);
    assert.deepEqual([verifyLog(grown).findings, verifyLog(grown).before], [[], 3]);
    const rotated = place(t);
    await write(rotated, 300, { maxFileBytes: 8000, keepFiles: 2 });
    assert.deepEqual(verifyLog(rotated).findings, []);
    writeFileSync(`${rotated}.3`, refused("forged"));
    assert.deepEqual(kinds(verifyLog(rotated).findings), ["foreign"]);
  });

  test("is read as what is not chained: forward, from the end, and as it comes", async (t) => {
    const path = place(t);
    await write(path, 3);
    const altered = linesOf(path)[2]?.replace('"status":429', '"status":200') ?? "";
    edit(path, (lines) => lines.with(2, altered).toSpliced(3, 0, refused("put in").trimEnd()));
    const marks = (records: readonly LedgerRecord[]): unknown[] =>
      records.map(({ id, event, unchained }) => [id ?? event, unchained]);
    const expected = [
      ["ledger.opened", undefined],
      ["r0", undefined],
      ["r1", true],
      ["put in", true],
      ["r2", undefined],
    ];
    assert.deepEqual(marks(await Array.fromAsync(readLog(path))), expected);
    assert.deepEqual(marks(lastRecords(path, 99)), expected);
    assert.deepEqual(marks(lastRecords(path, 3)), expected.slice(2));
    const followed: LedgerRecord[] = [];
    const { promise: seen, resolve } = Promise.withResolvers<void>();
    const following = followRecords(path, (record) => {
      followed.push(record);
      if (followed.length === 4) resolve();
    });
    await write(path, 2);
    appendFileSync(path, refused("put in"));
    appendFileSync(path, refused("false").replace(/\}\n$/, `,"seq":7,"chain":"${"A".repeat(43)}"}\n`));
    await seen;
    following.close();
    assert.deepEqual(marks(followed), [
      ["r0", undefined],
      ["r1", undefined],
      ["put in", true],
      ["false", true],
    ]);
  });
});
