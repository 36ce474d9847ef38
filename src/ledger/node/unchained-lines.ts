import { createHash } from "node:crypto";
import type { Hash } from "node:crypto";

/** Lines between two records of a chain that are none themselves. */
export interface UnchainedLines {
  /** One of them, or a part of it: what bears the same number is the same line. */
  add(line: Buffer, isWhole: boolean, number: number): void;
  /** What there was since this was asked last. */
  take(): UnchainedRest;
}

export interface UnchainedRest {
  readonly bytes: number;
  /** SHA-256, base64url; empty where there is nothing. */
  readonly digest: string;
  /** Whether it is one line without its end: it is being written, or a crash cut it short. */
  readonly isCut: boolean;
  /** Number of its first line. */
  readonly at: number;
}

const lineFeed = Buffer.from("\n");

export function createUnchainedLines(): UnchainedLines {
  let digest: Hash | undefined;
  let [bytes, at, lines, last] = [0, 0, 0, 0];
  let isCut = false;
  return {
    add(line, isWhole, number) {
      digest ??= createHash("sha256");
      if (bytes === 0) at = number;
      digest.update(line);
      if (isWhole) digest.update(lineFeed);
      bytes += line.length + (isWhole ? 1 : 0);
      if (number !== last) lines++;
      last = number;
      isCut = lines === 1 && !isWhole;
    },
    take() {
      const rest = { bytes, digest: digest?.digest("base64url") ?? "", isCut, at };
      digest = undefined;
      [bytes, at, lines, last] = [0, 0, 0, 0];
      isCut = false;
      return rest;
    },
  };
}
