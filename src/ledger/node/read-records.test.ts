import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { LedgerRecord } from "../record.ts";
import { readRecords } from "./read-records.ts";

test("records of some events are read out of all files of a log, and what is no record is passed over", async (context) => {
  const root = mkdtempSync(join(tmpdir(), "curtainwall-records-"));
  context.after(() => rmSync(root, { recursive: true }));
  const log = join(root, "events.jsonl");
  const read = async (): Promise<unknown[]> => {
    const found: LedgerRecord[] = [];
    for await (const record of readRecords(log, ["a.b"])) found.push(record);
    return found.map(({ n }) => n);
  };
  assert.deepEqual(await read(), []);
  writeFileSync(
    log,
    '{"event":"a.b","n":1}\nnot a.b json\n{"event":"x.y","n":2,"about":"a.b"}\n{"event":"a.b","n":3}',
  );
  writeFileSync(`${log}.1`, '{"event":"a.b","n":0}\n');
  assert.deepEqual(await read(), [1, 3, 0]);
});
