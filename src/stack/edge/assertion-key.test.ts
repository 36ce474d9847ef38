import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { loadAssertionKey } from "./assertion-key.ts";
import { stackFolders } from "../folders.ts";

test("An edge that is started again writes nothing, so that it comes up on a full disk; a public half that is another's is written anew", async (t) => {
  const root = mkdtempSync(join(tmpdir(), "curtainwall-assertion-"));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  const folders = stackFolders(root);
  const made = await loadAssertionKey(folders);
  const published = readFileSync(folders.assertionJwksFile, "utf8");
  const { ino } = statSync(folders.assertionJwksFile);
  assert.deepEqual(await loadAssertionKey(folders), made);
  assert.equal(statSync(folders.assertionJwksFile).ino, ino);
  writeFileSync(folders.assertionJwksFile, "{}");
  assert.deepEqual(await loadAssertionKey(folders), made);
  assert.equal(readFileSync(folders.assertionJwksFile, "utf8"), published);
  assert.deepEqual(readdirSync(folders.edge).toSorted(), ["assertion.jwks.json", "assertion.key.json"]);
});
