import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { randomBytes } from "node:crypto";
import { dirname, join } from "node:path";

/** Writes the whole of a buffer: one call may write less. */
export function writeAll(fd: number, bytes: Uint8Array): void {
  for (let from = 0; from < bytes.length;) from += writeSync(fd, bytes, from);
}

/** A name that no other process uses, and that {@link removeLeftovers} knows. */
export const draftName = (): string => `.draft-${process.pid}-${randomBytes(6).toString("hex")}`;

/** Writes a new file and waits until it is on disk. */
export function writeDraft(file: string, bytes: Uint8Array, mode: number): void {
  const fd = openSync(file, "wx", mode);
  try {
    writeAll(fd, bytes);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Writes a file in place of the one before: whole or not at all, and on disk when this returns. */
export function writeWhole(file: string, bytes: Uint8Array, mode: number): void {
  const folder = dirname(file);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const draft = join(folder, draftName());
  try {
    writeDraft(draft, bytes, mode);
    renameSync(draft, file);
    syncFolder(folder);
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Waits until a folder's names are on disk: a new one is safe only then. */
export function syncFolder(folder: string): void {
  const fd = openSync(folder, "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Removes what processes that are gone left half-written. */
export function removeLeftovers(folder: string): void {
  for (const name of readdirSync(folder)) {
    const pid = /^\.draft-(\d+)-/.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) rmSync(join(folder, name), { force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}
