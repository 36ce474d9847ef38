import { closeSync, constants, fstatSync, lstatSync, openSync, readSync, statSync } from "node:fs";
import type { Stats } from "node:fs";
import { dirname } from "node:path";
import type { VaultErrorCode } from "../errors.ts";
import { errorCode, vaultError } from "./fail.ts";

/** What is said when a file is not there, or others may read it. */
export interface PrivateFileWords {
  /** As it begins a sentence: `The key file /srv/vault.key`. */
  what: string;
  missing: VaultErrorCode;
  exposed: VaultErrorCode;
  unusable: VaultErrorCode;
  /** What hints call it. Default: as it is opened. */
  shown?: string;
  /** What to do when it is missing. */
  hint: string;
  /** Bits of the mode that it must not have. Default 0o077. */
  forbiddenMode?: number;
}

/**
 * Opens a file to read it if it is a plain one, not reached by a symbolic link, its owner's alone, and its owner's right: the user's own, root's, or
 * that of whoever owns its folder and could replace it anyway. Answers about what was opened, not about what lies there by now.
 */
export function openPrivateFile(file: string, words: PrivateFileWords): number {
  let fd: number;
  try {
    fd = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (cause) {
    throw notOpened(file, words, cause);
  }
  const problem = problemOf(file, fstatSync(fd), words);
  if (problem === undefined) return fd;
  closeSync(fd);
  throw vaultError(words.exposed, `${words.what} ${problem.message}`, { hint: problem.hint });
}

function notOpened(file: string, words: PrivateFileWords, cause: unknown): Error {
  const code = errorCode(cause);
  if (code === "ENOENT" || code === "ENOTDIR")
    return vaultError(words.missing, `${words.what} is not there.`, { hint: words.hint, cause });
  if (code === "ELOOP")
    return vaultError(words.exposed, `${words.what} is a symbolic link.`, {
      hint: `Name the file itself: whoever may change the link chooses what is read.  readlink -f ${file}`,
    });
  return vaultError(words.unusable, `${words.what} can't be read: ${code ?? "unknown"}.`, { cause });
}

/**
 * Looks at a file as {@link openPrivateFile} does, but by its name. For files that SQLite has open: whoever closes a descriptor of theirs gives up all
 * locks of the whole process (`fcntl(2)`).
 */
export function checkPrivateFile(file: string, words: PrivateFileWords): Stats {
  const stats = lstatSync(file, { throwIfNoEntry: false });
  if (stats === undefined)
    throw vaultError(words.missing, `${words.what} is not there.`, { hint: words.hint });
  const problem = problemOf(file, stats, words);
  if (problem !== undefined)
    throw vaultError(words.exposed, `${words.what} ${problem.message}`, { hint: problem.hint });
  return stats;
}

function problemOf(
  file: string,
  stats: Stats,
  { forbiddenMode = 0o077, shown = file }: Pick<PrivateFileWords, "forbiddenMode" | "shown">,
): { message: string; hint: string } | undefined {
  const { mode, uid } = stats;
  if (!stats.isFile()) return { message: "is not a plain file.", hint: `ls -l ${shown}` };
  if ((mode & forbiddenMode) !== 0)
    return {
      message: "can be read or changed by others than its owner.",
      hint: `chmod 600 ${shown}   And if somebody may have read it, make a new one`,
    };
  const rightful = [process.geteuid?.() ?? uid, 0, statSync(dirname(file)).uid];
  if (!rightful.includes(uid))
    return { message: "belongs to another user.", hint: `chown ${rightful[0]} ${shown}` };
  return undefined;
}

/** Reads at most so many bytes of an open file, and closes it. */
export function readAtMost(fd: number, maxBytes: number): Buffer {
  const buffer = Buffer.alloc(maxBytes);
  try {
    let length = 0;
    for (let count = -1; count !== 0 && length < maxBytes; length += count)
      count = readSync(fd, buffer, length, maxBytes - length, null);
    return buffer.subarray(0, length);
  } finally {
    closeSync(fd);
  }
}
