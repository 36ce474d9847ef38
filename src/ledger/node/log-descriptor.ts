import { closeSync, constants, fchownSync, fstatSync, lstatSync, openSync, readSync } from "node:fs";
import { resolve } from "node:path";
import { CurtainwallError } from "../../shared/index.ts";
import type { LedgerErrorCode } from "../errors.ts";

// How the log's files are opened: by a process that may still be root, in a folder that belongs to one that is not.

const { O_RDONLY, O_RDWR, O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants;

/**
 * Opens the file that is written to, and makes it if there is none.
 *
 * @throws {CurtainwallError} `LEDGER_FILE_UNUSABLE`
 */
export function openForAppending(path: string, owner: { uid: number; gid: number } | undefined): number {
  let fd: number;
  try {
    // O_NOFOLLOW: whoever could put a link here would choose what a privileged process appends to. O_NONBLOCK: a pipe put
    // here must not hold the start up.
    fd = openSync(path, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o600);
  } catch (cause) {
    throw unusable(path, cause);
  }
  const stats = fstatSync(fd);
  // A second name would be somebody else's file, linked here to be handed over.
  if (stats.isFile() && stats.nlink === 1) {
    if (owner !== undefined) fchownSync(fd, owner.uid, owner.gid);
    return fd;
  }
  closeSync(fd);
  throw unusable(path, undefined);
}

/** Opens one of the files to read it. Undefined if it is not there, or is not a plain file. */
export function openForReading(path: string): number | undefined {
  let fd: number;
  try {
    fd = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch {
    return undefined;
  }
  if (fstatSync(fd).isFile()) return fd;
  closeSync(fd);
  return undefined;
}

/** Whether a path still leads to an open file. */
export function isFileAt(path: string, fd: number): boolean {
  const there = lstatSync(path, { throwIfNoEntry: false });
  const { ino, dev } = fstatSync(fd);
  return there?.ino === ino && there.dev === dev;
}

/** Whether the last line lacks its end. */
export function endsInsideLine(fd: number): boolean {
  const { size } = fstatSync(fd);
  if (size === 0) return false;
  const last = Buffer.alloc(1);
  readSync(fd, last, 0, 1, size - 1);
  return last[0] !== 10;
}

const unusable = (path: string, cause: unknown): CurtainwallError<LedgerErrorCode> =>
  new CurtainwallError("LEDGER_FILE_UNUSABLE", "The log can't be opened.", {
    cause,
    hint: `Check that ${resolve(path)} is a plain file in a folder that can be written`,
  });
