import type { Allowance } from "./allowance.ts";
import { isZlib, openPdf, openPng } from "./streams.ts";
import type { Member, Opened } from "./streams.ts";
import { unopenedAt, unopenedMarks } from "./unopened.ts";
import { isEndRecord, listZip } from "./zip.ts";
import type { ZipMember } from "./zip.ts";

export type { Member, Opened };

/** The most members of one archive that are looked into. */
export const maxMembers = 20_000;
/** The most ZIP archives that are looked for in one file, beside those in archives. */
const maxArchives = 16;
/** More reasons why something can't be opened say nothing new. */
const maxProblems = 20;

const gzip = [0x1f, 0x8b, 0x08];
const zstd = [0x28, 0xb5, 0x2f, 0xfd];
const zipMember = [0x50, 0x4b, 0x03, 0x04];
const zipEnd = [0x50, 0x4b, 0x05, 0x06];
const png = [0x89, 0x50, 0x4e, 0x47];
const pdf = [0x25, 0x50, 0x44, 0x46];

/** Four bytes that stand where something packed begins or, of a ZIP archive, ends: found together with all else that is looked for. */
export const packedMarks: readonly Uint8Array[] = [
  zstd,
  zipEnd,
  png,
  pdf,
  ...unopenedMarks,
  // RFC 1952 §2.3.1: five flags.
  ...Array.from({ length: 32 }, (_, flags) => [...gzip, flags]),
].map((mark) => Uint8Array.from(mark));

/** A stretch of bytes that may be packed, or hold something that is. */
export interface Piece {
  readonly bytes: Uint8Array;
  /** What its ending tells about it. */
  readonly name: string;
  /** Where {@link packedMarks} stand in it, in ascending order. */
  readonly marks: readonly number[];
}

/**
 * Opens what is packed: gzip, zlib, zstd by their first bytes, brotli (which has none) by its name's ending, the compressed texts of PNG
 * and the streams of PDF; and gzip, zstd, PNG, PDF and ZIP behind other bytes, as programs find them there. What is packed in a way that
 * it knows by name alone is a problem: nobody has looked into it.
 */
export function openPacked(piece: Piece, allowance: Allowance): Opened {
  const opened: Opened = { members: [], problems: [] };
  const { bytes, name } = piece;
  if (bytes.length < 8) return opened;
  for (const format of new Set([0, ...piece.marks].map((at) => unopenedAt(bytes, at))))
    if (format !== undefined) tell(opened, `it holds what ${format} packed, which is not looked into`);
  if (isZlib(bytes, 0)) openGuess(bytes, allowance, opened);
  else if (name.endsWith(".br")) openOne("brotli", bytes, allowance, opened);
  const covered = openZips(piece, allowance, opened);
  const marks = piece.marks.filter((at) => !isCovered(covered, at));
  openGzip(bytes, marksOf(bytes, marks, gzip), allowance, opened);
  openZstd(bytes, marksOf(bytes, marks, zstd), allowance, opened);
  let free = 0;
  for (const at of marksOf(bytes, marks, png))
    if (at >= free) free = at + openPng(bytes.subarray(at), allowance, opened);
  // Readers look for it in the first kilobyte.
  const [start = Number.POSITIVE_INFINITY] = marksOf(bytes, marks, pdf);
  if (start <= 1024) openPdf(bytes.subarray(start), allowance, opened);
  return opened;
}

/** Whether bytes begin as something packed does; for stretches that were decoded. */
export function mayBePacked(bytes: Uint8Array, at: number): boolean {
  return isZlib(bytes, at);
}

const startsWith = (bytes: Uint8Array, magic: readonly number[], from = 0): boolean =>
  magic.every((byte, index) => bytes[from + index] === byte);

const marksOf = (bytes: Uint8Array, marks: readonly number[], magic: readonly number[]): number[] =>
  marks.filter((at) => startsWith(bytes, magic, at));

/** Two bytes make no zlib stream: text that happens to begin so is text. */
function openGuess(bytes: Uint8Array, allowance: Allowance, into: Opened): void {
  const unpacked = allowance.tryUnpack("zlib", bytes);
  if (unpacked === "too-large") tell(into, "its zlib unpacks to more than is looked into");
  else if (unpacked !== "broken") into.members.push({ encoding: "zlib", name: undefined, bytes: unpacked });
}

function openOne(packing: "brotli" | "zstd", bytes: Uint8Array, allowance: Allowance, into: Opened): void {
  const unpacked = allowance.unpack(packing, bytes);
  if (typeof unpacked === "string") tell(into, `its ${packing} ${reasons[unpacked]}`);
  else into.members.push({ encoding: packing, name: undefined, bytes: unpacked });
}

const reasons = { broken: "can't be unpacked", "too-large": "unpacks to more than is looked into" } as const;

function tell({ problems }: Opened, what: string): void {
  if (problems.length < maxProblems) problems.push(what);
}

/** Members one after the other make one text, as for programs that open them, also where something stands between. */
function openGzip(bytes: Uint8Array, marks: readonly number[], allowance: Allowance, into: Opened): void {
  const parts: Uint8Array[] = [];
  for (const at of marks) {
    const start = afterGzipHeader(bytes, at);
    const packed = bytes.subarray(start);
    // Three bytes at the start are meant; behind others they may stand by chance.
    const unpacked = at === 0 ? allowance.unpack("deflate", packed) : allowance.tryUnpack("deflate", packed);
    if (unpacked === "too-large" || (unpacked === "broken" && at === 0)) {
      tell(into, `its gzip ${reasons[unpacked]}`);
      break;
    }
    if (unpacked !== "broken") parts.push(unpacked);
  }
  if (parts.length > 0) into.members.push({ encoding: "gzip", name: undefined, bytes: concat(parts) });
}

/** RFC 1952 §2.3: extra field, name and comment, each if its flag is set. */
function afterGzipHeader(bytes: Uint8Array, at: number): number {
  const flags = bytes[at + 3]!;
  let start = at + 10;
  if ((flags & 4) !== 0) start += 2 + ((bytes[start] ?? 0) | ((bytes[start + 1] ?? 0) << 8));
  for (const flag of [8, 16]) {
    if ((flags & flag) === 0) continue;
    const end = bytes.indexOf(0, start);
    start = end < 0 ? bytes.length : end + 1;
  }
  return (flags & 2) === 0 ? start : start + 2;
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const [first] = parts;
  if (parts.length === 1 && first !== undefined) return first;
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** From the start with all frames that follow; behind other bytes each by itself. */
function openZstd(bytes: Uint8Array, marks: readonly number[], allowance: Allowance, into: Opened): void {
  for (const [index, at] of marks.entries()) {
    if (at === 0) {
      openOne("zstd", bytes, allowance, into);
      continue;
    }
    const unpacked = allowance.tryUnpack("zstd", bytes.subarray(at, marks[index + 1]));
    if (unpacked === "too-large") return tell(into, `its zstd ${reasons[unpacked]}`);
    if (unpacked !== "broken") into.members.push({ encoding: "zstd", name: undefined, bytes: unpacked });
  }
}

interface Range {
  readonly from: number;
  readonly to: number;
}

const isCovered = (ranges: readonly Range[], at: number): boolean =>
  ranges.some(({ from, to }) => at >= from && at < to);

/** Opens ZIP archives from the last end record on, which is the one that programs take. Returns where their members stand. */
function openZips({ bytes, marks }: Piece, allowance: Allowance, into: Opened): readonly Range[] {
  const covered: Range[] = [];
  const isArchive = startsWith(bytes, zipMember);
  const ends = marksOf(bytes, marks, zipEnd).filter((at) => isEndRecord(bytes, at));
  if (isArchive && ends.length === 0) tell(into, "its ZIP directory can't be read");
  if (ends.length > maxArchives) tell(into, `more than ${maxArchives} ZIP archives lie in it`);
  for (const end of ends.slice(-maxArchives).toReversed()) {
    if (isCovered(covered, end)) continue;
    const listed = listZip(bytes, end, maxMembers);
    if (listed === undefined) tell(into, "its ZIP directory can't be read");
    else if (!openZip(listed, allowance, into)) break;
    for (const { bytes: packed } of listed ?? []) {
      const from = packed.byteOffset - bytes.byteOffset;
      if (marks.some((at) => at >= from && at < from + packed.length))
        covered.push({ from, to: from + packed.length });
    }
  }
  return covered;
}

/** False if nothing more may be unpacked. */
function openZip(listed: readonly ZipMember[], allowance: Allowance, into: Opened): boolean {
  for (const { name, method, encrypted, bytes: packed } of listed) {
    if (encrypted || (method !== 0 && method !== 8)) {
      tell(into, `its member ${name} is ${encrypted ? "encrypted" : "packed in a rare way"}`);
      continue;
    }
    const unpacked = method === 8 ? allowance.unpack("deflate", packed) : stored(packed, allowance);
    if (typeof unpacked !== "string") into.members.push({ encoding: "zip", name, bytes: unpacked });
    else tell(into, `its member ${name} ${reasons[unpacked]}`);
    if (unpacked === "too-large") return false;
  }
  return true;
}

const stored = (bytes: Uint8Array, allowance: Allowance): Uint8Array | "too-large" =>
  allowance.take(bytes.length) ? bytes : "too-large";
