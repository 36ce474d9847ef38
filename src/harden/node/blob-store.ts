import { createHash, hash } from "node:crypto";
import { closeSync, mkdirSync, openSync, readSync, renameSync, writeSync, existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { threadId } from "node:worker_threads";
import { hardenError } from "./harden-error.ts";
import { assertUnchanged, openListed } from "./read-file.ts";
import type { ListedFile } from "./walk.ts";

/** Bytes by their digest: no name of a site can be misread by a file system, and equal bytes lie there once. */
export interface BlobStore {
  /** Stores bytes; returns their SHA-256, hexadecimal. */
  put(bytes: Uint8Array): string;
  /** Copies a listed file in pieces; returns its SHA-256, hexadecimal. */
  copy(file: ListedFile): string;
}

const pieceBytes = 1_048_576;

/**
 * Creates a store in a folder that is being made. It is not flushed to the disk: the folder counts only once it is renamed.
 *
 * @throws {CurtainwallError} `HARDEN_OUTPUT_FAILED` when the disk is full or can't be written
 */
export function createBlobStore(folder: string): BlobStore {
  let count = 0;
  const fresh = (): string => join(folder, `.new-${threadId}-${++count}`);
  const keep = (from: string, sha256: string): string => {
    renameSync(from, join(folder, sha256));
    return sha256;
  };
  return {
    put: (bytes) =>
      written(() => {
        const sha256 = hash("sha256", bytes, "hex");
        if (existsSync(join(folder, sha256))) return sha256;
        const place = fresh();
        const fd = openSync(place, "wx");
        try {
          writeAll(fd, bytes);
        } finally {
          closeSync(fd);
        }
        return keep(place, sha256);
      }),
    copy(file) {
      const input = openListed(file);
      try {
        const digest = createHash("sha256");
        const piece = Buffer.allocUnsafe(Math.min(pieceBytes, Math.max(1, file.size)));
        const place = fresh();
        const output = written(() => openSync(place, "wx"));
        try {
          for (let at = 0; at < file.size;) {
            const read = readSync(input, piece, 0, piece.length, at);
            if (read === 0) break;
            digest.update(piece.subarray(0, read));
            written(() => writeAll(output, piece.subarray(0, read)));
            at += read;
          }
        } finally {
          closeSync(output);
        }
        assertUnchanged(file, input);
        return written(() => keep(place, digest.digest("hex")));
      } finally {
        closeSync(input);
      }
    },
  };
}

function writeAll(fd: number, bytes: Uint8Array): void {
  for (let from = 0; from < bytes.length;) from += writeSync(fd, bytes, from);
}

/** Makes a folder, and what stands before it. Step by step: `recursive` says ENOENT of a disk that can only be read. */
export function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  makeFolder(dirname(folder));
  written(() => mkdirSync(folder));
}

/** Does something that writes; says what it means when the disk refuses. */
export function written<T>(write: () => T): T {
  try {
    return write();
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === undefined) throw cause;
    const reasons: Record<string, string> = {
      ENOSPC: "the disk is full",
      EDQUOT: "the disk quota is used up",
      EROFS: "the disk can only be read",
      EACCES: "this user may not write there",
      EPERM: "this user may not write there",
    };
    throw hardenError(
      "HARDEN_OUTPUT_FAILED",
      `The hardened site can't be written: ${reasons[code] ?? code}.`,
      {
        hint: "What lay there before is untouched. Choose another folder with --out, or make room",
        cause,
      },
    );
  }
}
