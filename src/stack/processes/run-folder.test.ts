import assert from "node:assert/strict";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { test } from "node:test";
import { findRunFolders, openRunFolder } from "./run-folder.ts";

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
  const renamed = (path: string, pid: number): string =>
    join(place, basename(path).replace(`-${process.pid}-`, `-${pid}-`));
  const noPid = 2 ** 22 + 1;
  const stale = renamed(own.path, noPid);
  const foreign = renamed(other.path, noPid);
  for (const path of [stale, foreign]) mkdirSync(path);
  writeFileSync(join(stale, "socket"), "");
  const next = openRunFolder("/site", [place]);
  assert.deepEqual(
    [stale, foreign, own.path, next.path].map((path) => existsSync(path)),
    [false, true, true, true],
  );
  rmSync(place, { recursive: true });
});

test("A process that has the id of a killed supervisor, and started at another time, is not taken for it", () => {
  const place = makePlace();
  const own = openRunFolder("/site", [place]);
  const [, pid, started] = /-(\d+)-(\w+)-\w+$/.exec(own.path) ?? [];
  assert.equal(Number(pid), process.pid);
  const earlier = own.path.replace(`-${started}-`, "-0-");
  mkdirSync(earlier);
  assert.deepEqual(
    findRunFolders("/site", [process.getuid?.()], [place]).map(({ folder }) => folder),
    process.platform === "linux" ? [own.path] : [own.path, earlier],
  );
  rmSync(place, { recursive: true });
});

test(
  "A folder that another user made, that others may write to, or that is none, is no running stack's",
  { skip: process.getuid?.() === 0 ? false : "only root makes what is another user's" },
  () => {
    const place = makePlace();
    const own = openRunFolder("/site", [place]);
    const like = (ending: string): string => own.path.replace(/\w{6}$/, ending);
    mkdirSync(like("others"));
    chownSync(like("others"), 65_534, 65_534);
    mkdirSync(like("opened"));
    chmodSync(like("opened"), 0o777);
    symlinkSync(own.path, like("linked"));
    symlinkSync("/nowhere", like("nowher"));
    assert.deepEqual(
      findRunFolders("/site", [process.getuid?.(), undefined], [place]).map(({ folder }) => folder),
      [own.path],
    );
    rmSync(place, { recursive: true });
  },
);

test("A place where others may write is not used", () => {
  const place = makePlace();
  chmodSync(place, 0o777);
  const folder = openRunFolder("/site", [place]);
  assert.notEqual(dirname(folder.path), place);
  folder.remove();
  rmSync(place, { recursive: true });
});
