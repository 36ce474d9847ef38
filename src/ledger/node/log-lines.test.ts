import assert from "node:assert/strict";
import {
  appendFileSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { endOfLog, logLines } from "./log-lines.ts";
import type { LogPlace } from "./log-lines.ts";

function place(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "curtainwall-lines-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, "events.jsonl");
}

async function read(path: string, from?: LogPlace): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of logLines(path, from)) lines.push(line.toString("latin1"));
  return lines;
}

test("lines come as they stand there, the oldest file first, and one without its end not yet", async (t) => {
  const log = place(t);
  assert.deepEqual(await read(log), []);
  writeFileSync(`${log}.2`, "one\r\n\n");
  writeFileSync(`${log}.1`, `two \u001b[2J\r\x85\n`);
  // Longer than what is read at once, and cut in the middle of it.
  writeFileSync(log, `${"x".repeat(600_000)}\nfour\nfi`);
  const [first, empty, second, long, fourth, ...rest] = await read(log);
  assert.deepEqual([first, empty, fourth, rest], ["one\r", "", "four", []]);
  assert.equal(second, Buffer.from("two \u001b[2J\r\x85").toString("latin1"));
  assert.equal(long?.length, 600_000);
});

test("from a place on, what was written since: also when its file was moved, and all of it once that is gone", async (t) => {
  const log = place(t);
  assert.equal(endOfLog(log), undefined);
  writeFileSync(`${log}.1`, "older\n");
  writeFileSync(log, "old\n");
  const end = endOfLog(log);
  assert.deepEqual(await read(log, end), []);
  appendFileSync(log, "a\n");
  assert.deepEqual(await read(log, end), ["a"]);
  renameSync(log, `${log}.2`);
  writeFileSync(log, "c\n");
  writeFileSync(`${log}.1`, "b\n");
  assert.deepEqual(await read(log, end), ["a", "b", "c"]);
  unlinkSync(`${log}.2`);
  assert.deepEqual(await read(log, end), ["b", "c"]);
});

test("a link in the log's place is not followed", async (t) => {
  const log = place(t);
  writeFileSync(`${log}.txt`, "elsewhere\n");
  symlinkSync(`${log}.txt`, log);
  await assert.rejects(read(log), { code: "LEDGER_FILE_UNUSABLE" });
});
