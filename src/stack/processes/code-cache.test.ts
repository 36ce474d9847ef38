import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { codeCacheFolder } from "./code-cache.ts";
import { stackFolders } from "../folders.ts";

function place(t: TestContext): ReturnType<typeof stackFolders> {
  const root = mkdtempSync(join(tmpdir(), "curtainwall-code-"));
  t.after(() => rmSync(root, { recursive: true }));
  const folders = stackFolders(root);
  mkdirSync(folders.state, { mode: 0o755 });
  return folders;
}

test("compiled code is kept where only this user can write", (t) => {
  const folders = place(t);
  const folder = codeCacheFolder(folders, "uid");
  assert.equal(folder, join(folders.state, "code"));
  assert.equal(statSync(folder).mode & 0o777, 0o755);
  assert.equal(codeCacheFolder(folders, "bwrap"), undefined, "a sandbox does not see it");
});

test("a folder that others could write to, or put another in place of, is not used", (t) => {
  const folders = place(t);
  const folder = join(folders.state, "code");
  mkdirSync(folder);
  for (const open of [folder, folders.state]) {
    chmodSync(open, 0o777);
    assert.equal(codeCacheFolder(folders, "uid"), undefined, open);
    chmodSync(open, 0o755);
  }
  rmSync(folder, { recursive: true });
  symlinkSync(tmpdir(), folder);
  assert.equal(codeCacheFolder(folders, "uid"), undefined, "a link leads anywhere");
});
