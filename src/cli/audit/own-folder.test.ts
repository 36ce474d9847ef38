import assert from "node:assert/strict";
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { ownFolder } from "./own-folder.ts";

const user = process.getuid?.();
const whenAsked = {
  skip:
    (user === undefined && "this system does not tell users apart") ||
    (existsSync(`/run/user/${user}`) && "this user has a session, whose folder comes first"),
};

/** A folder for temporary files, and the name in it that is asked for. */
function places(t: TestContext): { temporary: string; own: string } {
  const temporary = mkdtempSync(join(tmpdir(), "curtainwall-own-folder-"));
  t.after(() => rmSync(temporary, { recursive: true, force: true }));
  return { temporary, own: join(temporary, `curtainwall-${user}`) };
}

test("a folder of one's own is made closed to others, and found again", whenAsked, (t) => {
  const { temporary, own } = places(t);
  assert.equal(ownFolder(temporary), own);
  assert.equal(lstatSync(own).mode & 0o777, 0o700);
  assert.equal(ownFolder(temporary), own);
});

test("one that others may write to, a link, and another user's are not taken", whenAsked, (t) => {
  const open = places(t);
  mkdirSync(open.own);
  chmodSync(open.own, 0o770);
  assert.equal(ownFolder(open.temporary), undefined);
  const linked = places(t);
  symlinkSync(mkdtempSync(join(linked.temporary, "elsewhere-")), linked.own);
  assert.equal(ownFolder(linked.temporary), undefined);
  if (user !== 0) return;
  const foreign = places(t);
  mkdirSync(foreign.own, { mode: 0o700 });
  chownSync(foreign.own, 65_534, 65_534);
  assert.equal(ownFolder(foreign.temporary), undefined);
});

test("where none can be made there is none", whenAsked, () => {
  assert.equal(ownFolder("/dev/null"), undefined);
});
