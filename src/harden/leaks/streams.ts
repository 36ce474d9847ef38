import type { Allowance } from "./allowance.ts";
import type { LeakEncoding } from "./types.ts";

/** What was unpacked from bytes. */
export interface Member {
  readonly encoding: LeakEncoding | undefined;
  /** Its name, if what it was in names its members. */
  readonly name: string | undefined;
  readonly bytes: Uint8Array;
}

/** Members, and why others can't be looked into. */
export interface Opened {
  readonly members: Member[];
  readonly problems: string[];
}

/** RFC 1950 §2.2: deflate, any window, no dictionary, and the check of the two first bytes. */
export function isZlib(bytes: Uint8Array, at: number): boolean {
  const method = bytes[at] ?? 0;
  const flags = bytes[at + 1] ?? 0;
  return (method & 0x0f) === 8 && method < 0x80 && (flags & 0x20) === 0 && ((method << 8) | flags) % 31 === 0;
}

/**
 * `zTXt`, `iTXt` and `iCCP`: PNG (third edition) §11.3. Texts that are not compressed are found as they are.
 *
 * @returns where the picture ends
 */
export function openPng(bytes: Uint8Array, allowance: Allowance, into: Opened): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 8; at + 12 <= bytes.length;) {
    const length = view.getUint32(at);
    const kind = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    const data = bytes.subarray(at + 8, at + 8 + length);
    const start = textStart(kind, data);
    if (start !== undefined && isZlib(data, start))
      openStream(data.subarray(start), "png-text", allowance, into);
    at += 12 + length;
    if (kind === "IEND") return at;
  }
  return bytes.length;
}

/** Where a chunk's compressed bytes begin: after its keyword and the method, and in `iTXt` two names of its own. */
function textStart(kind: string, data: Uint8Array): number | undefined {
  const keyword = data.indexOf(0);
  if (keyword < 0) return undefined;
  if (kind === "zTXt" || kind === "iCCP") return keyword + 2;
  if (kind !== "iTXt" || data[keyword + 1] !== 1) return undefined;
  const language = data.indexOf(0, keyword + 3);
  const translated = language < 0 ? -1 : data.indexOf(0, language + 1);
  return translated < 0 ? undefined : translated + 1;
}

/** Streams with FlateDecode (ISO 32000-1 §7.4.4), wherever the word stands. */
export function openPdf(bytes: Uint8Array, allowance: Allowance, into: Opened): void {
  for (let at = bytes.indexOf(letterS); at >= 0; at = bytes.indexOf(letterS, at + 1)) {
    if (bytes[at + 1] !== 0x74 || bytes[at + 2] !== 0x72 || bytes[at + 3] !== 0x65 || bytes[at + 5] !== 0x6d)
      continue;
    let start = at + 6;
    while (bytes[start] === 0x0d || bytes[start] === 0x0a || bytes[start] === 0x20) start++;
    if (isZlib(bytes, start) && !openStream(bytes.subarray(start), "pdf-stream", allowance, into)) return;
  }
}

const letterS = 0x73;

/** False if nothing more may be unpacked. */
function openStream(bytes: Uint8Array, encoding: LeakEncoding, allowance: Allowance, into: Opened): boolean {
  const unpacked = allowance.tryUnpack("zlib", bytes);
  if (unpacked === "broken") return true;
  if (unpacked === "too-large") {
    into.problems.push("a stream in it unpacks to more than is looked into");
    return false;
  }
  into.members.push({ encoding, name: undefined, bytes: unpacked });
  return true;
}
