import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import type { ListedFile } from "./walk.ts";
import { hardenError, shown } from "./harden-error.ts";

/** The largest file that is read whole; others are copied in pieces. */
export const maxWholeBytes = 128 * 1024 * 1024;

/**
 * Reads a file that must still be what it was when the folder was listed, before and after it was read.
 *
 * @param into where its bytes are put if there is room; whoever gives it reads no other file into it as long as it needs this one's
 * @throws {CurtainwallError} `HARDEN_FILE_CHANGED`, `HARDEN_FILE_TOO_LARGE`
 */
export function readUnchanged(file: ListedFile, into?: Buffer): Buffer {
  if (file.size > maxWholeBytes) {
    throw hardenError(
      "HARDEN_FILE_TOO_LARGE",
      `${shown(file.path)} is larger than ${maxWholeBytes / 1_048_576} MiB.`,
      {
        hint: "Pages, scripts and stylesheets are read whole; split it, or leave it out",
      },
    );
  }
  const fd = openListed(file);
  try {
    const bytes =
      into !== undefined && file.size <= into.length
        ? into.subarray(0, file.size)
        : Buffer.allocUnsafe(file.size);
    let length = 0;
    while (length < file.size) {
      const read = readSync(fd, bytes, length, file.size - length, length);
      if (read === 0) break;
      length += read;
    }
    if (length < file.size) throw changed(file);
    assertUnchanged(file, fd);
    return bytes;
  } finally {
    closeSync(fd);
  }
}

/** Opens a file, and checks that it is the one that was listed. The caller closes it. */
export function openListed(file: ListedFile): number {
  let fd;
  try {
    fd = openSync(file.file, "r");
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT") throw changed(file);
    throw hardenError("HARDEN_FOLDER_INVALID", `${shown(file.path)} can't be read (${code ?? "unknown"}).`, {
      hint: "Look at the file's permissions",
      cause,
    });
  }
  try {
    assertUnchanged(file, fd);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** @throws {CurtainwallError} `HARDEN_FILE_CHANGED` when an open file is no longer what was listed. */
export function assertUnchanged(file: ListedFile, fd: number): void {
  const { size, mtimeMs, ino } = fstatSync(fd);
  if (size !== file.size || mtimeMs !== file.mtimeMs || ino !== file.inode) throw changed(file);
}

function changed({ path }: ListedFile): Error {
  return hardenError("HARDEN_FILE_CHANGED", `${shown(path)} changed while the site was being hardened.`, {
    hint: "Wait until the generator is done, then run this again",
  });
}
