import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, writeSync } from "node:fs";
import { makeStateFolder } from "./folders.ts";
import type { StackFolders } from "./folders.ts";

/** Puts a release in place of the one before: whole or not at all, and on disk when this returns. */
export function writeRelease(folders: StackFolders, release: Uint8Array): void {
  const { edge, releaseFile } = folders;
  makeStateFolder(folders);
  mkdirSync(edge, { recursive: true, mode: 0o755 });
  const fresh = `${releaseFile}.${process.pid}.new`;
  const fd = openSync(fresh, "w", 0o644);
  try {
    for (let from = 0; from < release.length;) from += writeSync(fd, release, from);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(fresh, releaseFile);
  // The new name is only safe once the folder is written too.
  const folder = openSync(edge, "r");
  fsyncSync(folder);
  closeSync(folder);
}
