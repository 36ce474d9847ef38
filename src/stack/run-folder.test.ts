import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { test } from "node:test";
import { openRunFolder } from "./run-folder.ts";

/** A place for run folders that is this user's alone. */
const makePlace = (): string => mkdtempSync(join(tmpdir(), "cw-run-"));

test("A run folder is closed while sockets are made in it; later others may pass through, and neither list it nor write to it", () => {
  const place = makePlace();
  const folder = openRunFolder("/site", [place]);
  assert.equal(statSync(folder.path).mode & 0o777, 0o700);
  folder.admit();
  assert.equal(statSync(folder.path).mode & 0o777, 0o711);
  writeFileSync(join(folder.path, "socket"), "");
  folder.remove();
  assert.ok(!existsSync(folder.path));
  rmSync(place, { recursive: true });
});

test("What a killed supervisor of the same site left is removed, and what running ones and other sites have is not", () => {
  const place = makePlace();
  const own = openRunFolder("/site", [place]);
  const other = openRunFolder("/other", [place]);
  // The first process of all is never this test's.
  const renamed = (path: string, pid: number): string =>
    join(place, basename(path).replace(`-${process.pid}-`, `-${pid}-`));
  const noPid = 2 ** 22 + 1;
  const stale = renamed(own.path, noPid);
  const foreign = renamed(other.path, noPid);
  const elsewhere = renamed(own.path, 1);
  for (const path of [stale, foreign, elsewhere]) mkdirSync(path);
  writeFileSync(join(stale, "socket"), "");
  const next = openRunFolder("/site", [place]);
  assert.deepEqual(
    [stale, foreign, elsewhere, own.path, next.path].map((path) => existsSync(path)),
    [false, true, true, true, true],
  );
  rmSync(place, { recursive: true });
});

test("A place where others may write is not used", () => {
  const place = makePlace();
  chmodSync(place, 0o777);
  const folder = openRunFolder("/site", [place]);
  assert.notEqual(dirname(folder.path), place);
  folder.remove();
  rmSync(place, { recursive: true });
});
