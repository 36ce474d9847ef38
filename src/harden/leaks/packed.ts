import { isTar, listTar } from "./tar.ts";
import type { LeakEncoding, Packing, Unpack } from "./types.ts";
import { listZip } from "./zip.ts";

/** What was unpacked from bytes. */
export interface Member {
  readonly encoding: LeakEncoding | undefined;
  /** Its name, if what it was in names its members. */
  readonly name: string | undefined;
  readonly bytes: Uint8Array;
}

/** What {@link openPacked} found: members, and why others can't be looked into. */
export interface Opened {
  readonly members: readonly Member[];
  readonly problems: readonly string[];
}

/** Options of {@link openPacked}. */
export interface OpenOptions {
  readonly unpack: Unpack;
  /** Takes bytes from what may still be unpacked; returns how many may be. */
  readonly maxBytes: () => number;
  readonly onUnpacked: (bytes: number) => void;
}

const maxMembers = 20_000;

/**
 * Opens what is packed: gzip, zlib, zstd, ZIP and tar by their first bytes, brotli (which has none) by its name's ending, the
 * compressed texts of PNG and the streams of PDF. Undefined for other bytes.
 */
export function openPacked(bytes: Uint8Array, name: string, options: OpenOptions): Opened | undefined {
  if (bytes.length < 8) return undefined;
  const packing = packingOf(bytes, name);
  if (packing !== undefined) return openOne(bytes, packing, options);
  if (startsWith(bytes, [0x50, 0x4b, 0x03, 0x04])) return openZip(bytes, options);
  if (startsWith(bytes, [0x89, 0x50, 0x4e, 0x47])) return openPng(bytes, options);
  if (startsWith(bytes, [0x25, 0x50, 0x44, 0x46])) return openPdf(bytes, options);
  if (isTar(bytes))
    return {
      members: listTar(bytes, maxMembers),
      problems: [],
    };
  return undefined;
}

/** Whether bytes begin as something packed does; for stretches that were decoded. */
export function mayBePacked(bytes: Uint8Array, at: number): boolean {
  const first = bytes[at];
  const second = bytes[at + 1];
  return (
    (first === 0x1f && second === 0x8b) ||
    (first === 0x78 && isZlib(bytes, at)) ||
    (first === 0x28 && second === 0xb5) ||
    (first === 0x50 && second === 0x4b && bytes[at + 2] === 3)
  );
}

const startsWith = (bytes: Uint8Array, magic: readonly number[]): boolean =>
  magic.every((byte, index) => bytes[index] === byte);

/** RFC 1950 §2.2: deflate, and a check of the two first bytes. */
const isZlib = (bytes: Uint8Array, at: number): boolean =>
  bytes[at] === 0x78 && (((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)) % 31 === 0;

type Named = Exclude<Packing, "deflate">;

function packingOf(bytes: Uint8Array, name: string): Named | undefined {
  if (startsWith(bytes, [0x1f, 0x8b, 0x08])) return "gzip";
  if (startsWith(bytes, [0x28, 0xb5, 0x2f, 0xfd])) return "zstd";
  if (isZlib(bytes, 0)) return "zlib";
  return name.endsWith(".br") ? "brotli" : undefined;
}

function openOne(bytes: Uint8Array, packing: Named, options: OpenOptions): Opened | undefined {
  const unpacked = options.unpack(packing, bytes, options.maxBytes());
  // Two bytes make no zlib stream: text that happens to begin so is text.
  if (unpacked === "broken")
    return packing === "zlib" ? undefined : { members: [], problems: [`its ${packing} can't be unpacked`] };
  if (unpacked === "too-large")
    return { members: [], problems: [`its ${packing} unpacks to more than is looked into`] };
  options.onUnpacked(unpacked.length);
  return { members: [{ encoding: packing, name: undefined, bytes: unpacked }], problems: [] };
}

function openZip(bytes: Uint8Array, options: OpenOptions): Opened {
  const listed = listZip(bytes, maxMembers);
  if (listed === undefined) return { members: [], problems: ["its ZIP directory can't be read"] };
  const members: Member[] = [];
  const problems: string[] = [];
  for (const { name, method, encrypted, bytes: packed } of listed) {
    if (encrypted || (method !== 0 && method !== 8)) {
      problems.push(`its member ${name} is ${encrypted ? "encrypted" : "packed in a rare way"}`);
      continue;
    }
    const unpacked = method === 0 ? packed : options.unpack("deflate", packed, options.maxBytes());
    if (typeof unpacked === "string") {
      problems.push(
        `its member ${name} ${unpacked === "broken" ? "can't be unpacked" : "unpacks to more than is looked into"}`,
      );
      continue;
    }
    options.onUnpacked(unpacked.length);
    members.push({ encoding: "zip", name, bytes: unpacked });
  }
  return { members, problems };
}

/** `zTXt` and `iTXt`: PNG (third edition) §11.3.3. Texts that are not compressed are found as they are. */
function openPng(bytes: Uint8Array, options: OpenOptions): Opened {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const opened: Streams = { members: [], problems: [] };
  for (let at = 8; at + 12 <= bytes.length;) {
    const length = view.getUint32(at);
    const kind = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    const data = bytes.subarray(at + 8, at + 8 + length);
    if (kind === "zTXt" || kind === "iTXt") {
      const start = data.findIndex((byte, index) => byte === 0x78 && isZlib(data, index));
      if (start >= 0) openStream(data.subarray(start), "png-text", options, opened);
    }
    at += 12 + length;
  }
  return opened;
}

/** Streams with FlateDecode (ISO 32000-1 §7.4.4), wherever the word stands. */
function openPdf(bytes: Uint8Array, options: OpenOptions): Opened {
  const opened: Streams = { members: [], problems: [] };
  for (let at = 0; at + 10 < bytes.length; at++) {
    // "stream", which most bytes are not the first of.
    if (bytes[at] !== 0x73 || bytes[at + 1] !== 0x74 || bytes[at + 2] !== 0x72 || bytes[at + 5] !== 0x6d)
      continue;
    const start = at + 6 + (bytes[at + 6] === 0x0d ? 2 : 1);
    if (isZlib(bytes, start)) openStream(bytes.subarray(start), "pdf-stream", options, opened);
    at = start;
  }
  return opened;
}

interface Streams {
  readonly members: Member[];
  readonly problems: string[];
}

function openStream(bytes: Uint8Array, encoding: LeakEncoding, options: OpenOptions, into: Streams): void {
  const unpacked = options.unpack("zlib", bytes, options.maxBytes());
  if (unpacked === "broken") return;
  if (unpacked === "too-large") {
    if (into.problems.length === 0) into.problems.push("a stream in it unpacks to more than is looked into");
    return;
  }
  options.onUnpacked(unpacked.length);
  into.members.push({ encoding, name: undefined, bytes: unpacked });
}
