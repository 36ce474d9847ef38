import { createHash, randomBytes } from "node:crypto";
import {
  accessSync,
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  lstatSync,
  mkdirSync,
  openSync,
  readSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
} from "node:fs";
import type { Stats } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";

/** Where copies may lie: what is kept there is kept for the next start. */
const usualPlaces = ["/var/cache", "/var/lib", tmpdir()];
const folderName = "curtainwall-programs";
const digestGrammar = /^[0-9a-f]{64}$/;
/** A copy that nobody has started for so long is one of a version that was replaced. */
const keptMs = 30 * 24 * 3600 * 1000;

/** Copies by the path of the original. */
const known = new Map<string, { original: string; copy: string; state: string }>();

/**
 * Finds a program where a process that is another user's may start it. Below a closed folder, such as `/root`, other users reach nothing, whatever
 * its own mode: root keeps a copy of it, by digest, in a folder that everybody may read and only root may write to.
 *
 * Asked before each start: a copy counts only as long as it is what was checked, and is made anew when it has gone.
 *
 * @returns the program itself when it is open to all, when this is not root, or when there is no place for a copy
 */
export function openProgram(path: string, places: readonly string[] = usualPlaces): string {
  const file = realpathSync(path);
  if (process.getuid?.() !== 0 || isOpen(file)) return path;
  const original = stateOf(file);
  const found = known.get(file);
  if (found?.original === original && stateOf(found.copy) === found.state) return touch(found.copy);
  for (const place of places) {
    const copy = keepCopy(file, place);
    if (copy === undefined) continue;
    known.set(file, { original, copy, state: stateOf(copy) });
    return touch(copy);
  }
  return path;
}

/** Whether any user may start it: each folder above lets others pass, and the file lets them read. Lists of access can only say less for who is not in them. */
export function isOpen(file: string): boolean {
  if ((statSync(file).mode & 0o005) !== 0o005) return false;
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    if ((statSync(folder).mode & 0o001) === 0) return false;
    if (folder === dirname(folder)) return true;
  }
}

/** What changes when a file's content does; empty: it has gone. */
function stateOf(file: string): string {
  const stats = lstatSync(file, { bigint: true, throwIfNoEntry: false });
  if (stats === undefined) return "";
  return [stats.dev, stats.ino, stats.size, stats.mtimeNs, stats.uid, stats.mode].join(" ");
}

/** Undefined: not in this place. */
function keepCopy(file: string, place: string): string | undefined {
  const folder = join(place, folderName);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o755 });
    if (!isRootsOwn(lstatSync(folder)) || !isRootsAbove(folder)) return undefined;
    // Whatever the mask of new files is.
    chmodSync(folder, 0o755);
    if (!isOpen(folder)) return undefined;
    const copy = findCopy(folder, digestOf(file)) ?? makeCopy(file, folder);
    removeOld(folder, basename(copy));
    return isStartable(copy) ? copy : undefined;
  } catch {
    // Full, read-only, or somebody else's: the next place.
    return undefined;
  }
}

const isRootsOwn = (stats: Stats): boolean =>
  (stats.isDirectory() || stats.isFile()) && stats.uid === 0 && (stats.mode & 0o022) === 0;

/** Whether nobody else can put another folder in its place. */
function isRootsAbove(folder: string): boolean {
  for (let above = dirname(folder); ; above = dirname(above)) {
    const { uid, mode } = lstatSync(above);
    const isSticky = (mode & 0o1000) !== 0;
    if (uid !== 0 || ((mode & 0o022) !== 0 && !isSticky)) return false;
    if (above === dirname(above)) return true;
  }
}

/** A file system may forbid to start what lies in it. */
function isStartable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function findCopy(folder: string, sha256: string): string | undefined {
  const copy = join(folder, sha256);
  const stats = lstatSync(copy, { throwIfNoEntry: false });
  return stats?.isFile() && isRootsOwn(stats) && digestOf(copy) === sha256 ? copy : undefined;
}

/** The copy itself is what is measured, and gets its name at the end: a half of one has none. */
function makeCopy(file: string, folder: string): string {
  const unnamed = join(folder, `.${randomBytes(8).toString("hex")}`);
  try {
    copyFileSync(file, unnamed, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
    chmodSync(unnamed, 0o755);
    const copy = join(folder, digestOf(unnamed));
    renameSync(unnamed, copy);
    return copy;
  } finally {
    rmSync(unnamed, { force: true });
  }
}

function digestOf(file: string): string {
  const hash = createHash("sha256");
  const part = Buffer.allocUnsafe(2 ** 20);
  const fd = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    for (let length = readSync(fd, part); length > 0; length = readSync(fd, part))
      hash.update(part.subarray(0, length));
    return hash.digest("hex");
  } finally {
    closeSync(fd);
  }
}

/** When it was last started decides which copies are old. */
function touch(copy: string): string {
  const now = new Date();
  utimesSync(copy, now, lstatSync(copy).mtime);
  return copy;
}

function removeOld(folder: string, current: string): void {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    const stats = lstatSync(path, { throwIfNoEntry: false });
    const isOurs = digestGrammar.test(name) || /^\.[0-9a-f]{16}$/.test(name);
    if (stats === undefined || !isOurs || name === current) continue;
    if (Math.max(stats.atimeMs, stats.mtimeMs) < Date.now() - keptMs) rmSync(path, { force: true });
  }
}
