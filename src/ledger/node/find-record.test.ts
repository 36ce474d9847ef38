import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { formatRecord } from "../record.ts";
import { findRecord } from "./find-record.ts";

function place(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "curtainwall-find-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return join(folder, "security.log");
}

const line = (id: string, reason = ""): string =>
  formatRecord({ type: "gateway.request.refused", time: 0, id, reason }, "edge");

test("the record of a request is found by the id that its error named, among many", async (t) => {
  const path = place(t);
  writeFileSync(path, Array.from({ length: 5000 }, (_, index) => line(`r${index}`)).join(""));
  assert.equal((await findRecord(path, "r4999"))?.id, "r4999");
  assert.equal(await findRecord(path, "r5000"), undefined);
});

test("an id that only stands in another field, or in a torn line, is not found", async (t) => {
  const path = place(t);
  writeFileSync(path, `${line("other", "wanted")}{"id":"wanted"\n"wanted"\nnull wanted\n${line("wanted2")}`);
  assert.equal(await findRecord(path, "wanted"), undefined);
  assert.equal(await findRecord(path, ""), undefined);
});

test("where there is no log yet there is no record; a log that can't be read is an error", async (t) => {
  const path = place(t);
  assert.equal(await findRecord(path, "r1"), undefined);
  await assert.rejects(findRecord(tmpdir(), "r1"), { code: "LEDGER_FILE_UNUSABLE" });
});

test("a record that was moved out of the way with its file is still found, and files of other names are left alone", async (t) => {
  const path = place(t);
  writeFileSync(path, line("new"));
  writeFileSync(`${path}.1`, line("older"));
  writeFileSync(`${path}.12`, line("oldest"));
  writeFileSync(`${path}.bak`, line("copied"));
  for (const id of ["new", "older", "oldest"]) assert.equal((await findRecord(path, id))?.id, id);
  assert.equal(await findRecord(path, "copied"), undefined);
});
