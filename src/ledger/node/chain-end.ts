import { createHash } from "node:crypto";
import { fstatSync, readSync } from "node:fs";
import { chainMark, linkBytes, readLink } from "./chain.ts";
import type { ChainHead } from "./chain.ts";

/** What lies in a file after its last record of a chain, or in all of a file that has none. */
export interface Unchained {
  readonly bytes: number;
  /** SHA-256, base64url; empty where there is nothing. */
  readonly digest: string;
}

/** A record of the chain in a file. */
export interface FoundLink extends ChainHead {
  /** Where its line ends in the file, its line feed included if it has one. */
  readonly end: number;
}

/** Longest line that is looked for. */
const maxLine = 65_536;
const windowBytes = 262_144;

/** Finds the last record of a chain in a file, from its end. What a crash or somebody else left after it is passed over. */
export function lastLink(fd: number): FoundLink | undefined {
  const { size } = fstatSync(fd);
  for (let end = size; end > 0;) {
    const from = Math.max(0, end - windowBytes);
    const bytes = readRange(fd, from, Math.min(size, end + linkBytes));
    for (let at = bytes.lastIndexOf(chainMark); at >= 0; at = lastBefore(bytes, at)) {
      const found = linkAt(fd, from + at, size);
      if (found !== undefined) return found;
    }
    // A mark may begin in one window and end in the next.
    end = from;
  }
  return undefined;
}

/** Finds the first record of a chain in a file, and gives its line. */
export function firstLinkedLine(fd: number): { link: FoundLink; line: string } | undefined {
  const { size } = fstatSync(fd);
  for (let from = 0; from < size; from += windowBytes) {
    const bytes = readRange(fd, from, Math.min(size, from + windowBytes + linkBytes));
    for (let at = bytes.indexOf(chainMark); at >= 0; at = bytes.indexOf(chainMark, at + 1)) {
      const link = linkAt(fd, from + at, size);
      if (link !== undefined) return { link, line: lineBefore(fd, link.end) };
    }
  }
  return undefined;
}

/** What a file has after a place. A line that was cut short counts with the line feed that closes it off. */
export function unchainedAfter(fd: number, from: number): Unchained {
  const { size } = fstatSync(fd);
  const digest = createHash("sha256");
  let last = 10;
  for (let at = from; at < size; at += windowBytes) {
    const bytes = readRange(fd, at, Math.min(size, at + windowBytes));
    digest.update(bytes);
    last = bytes.at(-1) ?? last;
  }
  if (from >= size) return { bytes: 0, digest: "" };
  if (last !== 10) digest.update("\n");
  return { bytes: size - from + (last === 10 ? 0 : 1), digest: digest.digest("base64url") };
}

const lastBefore = (bytes: Buffer, at: number): number =>
  at === 0 ? -1 : bytes.lastIndexOf(chainMark, at - 1);

/** Reads the record whose mark stands at a place. Undefined if its line goes on after it, or was cut short. */
function linkAt(fd: number, at: number, size: number): FoundLink | undefined {
  const end = at + linkBytes;
  const bytes = readRange(fd, Math.max(0, at - 32), Math.min(size, end + 1));
  const isCut = end >= size;
  if (end > size || (!isCut && bytes.at(-1) !== 10)) return undefined;
  const link = readLink(isCut ? bytes : bytes.subarray(0, -1));
  return link === undefined ? undefined : { seq: link.seq, chain: link.chain, end: isCut ? end : end + 1 };
}

function lineBefore(fd: number, end: number): string {
  const bytes = readRange(fd, Math.max(0, end - maxLine), end);
  const whole = bytes.at(-1) === 10 ? bytes.subarray(0, -1) : bytes;
  return whole.subarray(whole.lastIndexOf(10) + 1).toString("utf8");
}

function readRange(fd: number, from: number, to: number): Buffer {
  const bytes = Buffer.alloc(to - from);
  let got = 0;
  while (got < bytes.length) {
    const count = readSync(fd, bytes, got, bytes.length - got, from + got);
    if (count === 0) break;
    got += count;
  }
  return bytes.subarray(0, got);
}
