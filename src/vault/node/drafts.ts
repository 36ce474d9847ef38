import { randomBytes } from "node:crypto";
import { lstatSync, readdirSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/** Files that SQLite lays beside one that it makes. */
const endings = ["", "-journal", "-wal", "-shm"];
/** Whoever is at one makes it in a moment; this old, its maker is gone. */
const staleMs = 600_000;

/** What a file is called until it is whole. */
export const draftOf = (file: string): string => `${file}.new-${randomBytes(6).toString("hex")}`;

/** Takes a draft away, with what may lie beside it. */
export function removeDraft(draft: string): void {
  for (const ending of endings) rmSync(draft + ending, { force: true });
}

/** Takes away what makers of a file left who were killed over it: nobody else does, and it has what the file would. */
export function removeStaleDrafts(file: string, now: () => number = Date.now): void {
  const folder = dirname(file);
  const name = basename(file);
  try {
    for (const other of readdirSync(folder))
      if (other.startsWith(`${name}.new-`) && draftName.test(other.slice(name.length)))
        removeIfStale(join(folder, other), now());
  } catch {
    // A folder that can't be read or written to is for whoever needs it to tell.
  }
}

const draftName = /^\.new-[0-9a-f]{12}(?:-journal|-wal|-shm)?$/;

function removeIfStale(path: string, nowMs: number): void {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats?.isFile() === true && nowMs - stats.mtimeMs > staleMs) rmSync(path, { force: true });
}
