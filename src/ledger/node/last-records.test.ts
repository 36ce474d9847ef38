import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { lastRecords } from "./last-records.ts";
import { readLog } from "./read-log.ts";

const line = (n: number, text = ""): string =>
  `${JSON.stringify({ time: "2027-01-15T08:00:00.000Z", source: "edge", severity: "notice", event: "a.b", n, text })}\n`;

test("the last records are those that reading all of it ends with, over files, long lines and what is no record", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "curtainwall-last-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const log = join(folder, "events.jsonl");
  assert.deepEqual(lastRecords(log, 3), []);
  const lines = (from: number, to: number): string =>
    Array.from({ length: to - from }, (_, index) =>
      line(from + index, "é".repeat(((from + index) * 37) % 900)),
    ).join("");
  writeFileSync(`${log}.2`, lines(0, 40));
  writeFileSync(`${log}.1`, `${lines(40, 900)}no record\n\n${line(900, "x".repeat(600_000))}`);
  writeFileSync(log, `${lines(901, 930)}{"torn`);
  const all: number[] = [];
  for await (const record of readLog(log)) all.push(Number(record["n"]));
  assert.equal(all.length, 930);
  for (const count of [1, 29, 30, 31, 500, 929, 930, 5000])
    assert.deepEqual(
      lastRecords(log, count).map(({ n }) => n),
      all.slice(-count),
    );
  const even = lastRecords(log, 100, ({ n }) => Number(n) % 2 === 0);
  assert.deepEqual(
    even.map(({ n }) => n),
    all.filter((n) => n % 2 === 0).slice(-100),
  );
  assert.deepEqual(lastRecords(log, 0), []);
});

test("a log of a gigabyte is read from its end", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "curtainwall-last-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const log = join(folder, "events.jsonl");
  writeFileSync(log, "");
  // Takes no room on the disk. Read whole it would be one line that fits in no text.
  truncateSync(log, 1_100_000_000);
  appendFileSync(log, `\n${line(1)}${line(2)}`);
  assert.deepEqual(
    lastRecords(log, 2).map(({ n }) => n),
    [1, 2],
  );
});
