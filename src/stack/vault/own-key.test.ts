import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { makeOwnKey } from "./own-key.ts";

test("A key that somebody else made meanwhile is kept: the store may be sealed with it already", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "curtainwall-own-key-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "vault.key");
  assert.equal(makeOwnKey(file), true);
  const made = readFileSync(file);
  assert.equal(made.length, 32);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.equal(makeOwnKey(file), false);
  assert.deepEqual(readFileSync(file), made);
  assert.deepEqual(readdirSync(folder), ["vault.key"]);
});
