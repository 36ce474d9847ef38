import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { openJournal } from "./journal.ts";

const folder = mkdtempSync(join(tmpdir(), "curtainwall-journal-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const file = join(folder, "audit/left.jsonl");
const [first, later] = ["2025-11-23T09:00:00.000Z", "2025-11-23T10:00:00.000Z"];

test("what was begun and not cleared is what the next one finds, with its routes, each once", () => {
  const journal = openJournal(file);
  assert.equal(journal.former, undefined);
  journal.begin(new Date(first));
  for (const route of ["POST /api/a", "POST /api/b", "POST /api/a"]) journal.note(route);
  assert.deepEqual(openJournal(file).former, { since: first, routes: ["POST /api/a", "POST /api/b"] });
  assert.equal(readFileSync(file, "utf8").match(/"route"/g)?.length, 2);
  journal.clear();
  assert.equal(openJournal(file).former, undefined);
  assert.ok(!existsSync(join(folder, "audit")), "and no folder stays");
});

test("a line that was cut off, at any byte, hides nothing that stands before or after it", () => {
  const whole = openJournal(file);
  whole.begin(new Date(first));
  whole.note("POST /api/a");
  const bytes = readFileSync(file);
  for (let length = 0; length <= bytes.length; length++) {
    writeFileSync(file, bytes.subarray(0, length));
    const again = openJournal(file);
    assert.ok(again.former !== undefined, `${length} bytes`);
    again.begin(new Date(later));
    again.note("POST /api/b");
    const { since, routes } = openJournal(file).former ?? {};
    assert.ok(routes?.includes("POST /api/b"), `${length} bytes`);
    assert.ok(since !== undefined && since <= new Date().toISOString(), `${length} bytes`);
    const isFirstThere = length >= bytes.indexOf("\n", 1);
    assert.equal(since, isFirstThere ? first : later, `${length} bytes`);
  }
  whole.clear();
});

test("without a file nothing is noted, and nothing was left", () => {
  const journal = openJournal(undefined);
  journal.begin(new Date(first));
  journal.note("POST /api/a");
  journal.clear();
  assert.equal(journal.former, undefined);
});
