import { concat, latin1, orNothing, viewOf } from "./bytes.ts";
import { bareOrientation, isTurned, readOrientation } from "./orientation.ts";
import type { Orientation } from "./orientation.ts";
import type { PictureFacts } from "./picture-facts.ts";

const signatureLength = 8;

/** What is needed to show a picture in its colours and at its speed. Everything else tells about it, or about who made it. */
const keptChunks = new Set(
  "IHDR PLTE IDAT IEND tRNS bKGD pHYs sBIT cHRM gAMA iCCP sRGB cICP mDCV cLLI acTL fcTL fdAT".split(" "),
);

interface Chunk {
  readonly name: string;
  readonly data: Uint8Array;
  /** With its length and its checksum. */
  readonly whole: Uint8Array;
}

function* chunksOf(bytes: Uint8Array): Generator<Chunk> {
  const view = viewOf(bytes);
  let at = signatureLength;
  while (at + 12 <= bytes.length) {
    const length = view.getUint32(at);
    const end = at + 12 + length;
    if (end > bytes.length) return;
    const name = latin1(bytes, at + 4, at + 8);
    yield { name, data: bytes.subarray(at + 8, at + 8 + length), whole: bytes.subarray(at, end) };
    if (name === "IEND") return;
    at = end;
  }
}

/** @see PNG (third edition) §5, §11.2 and §11.3 */
export function readPng(bytes: Uint8Array): PictureFacts | undefined {
  return orNothing(() => {
    if (latin1(bytes, 12, 16) !== "IHDR") return undefined;
    const view = viewOf(bytes);
    const sides = [view.getUint32(16), view.getUint32(20)] as const;
    let isAnimated = false;
    let orientation: Orientation = 1;
    for (const { name, data } of chunksOf(bytes)) {
      if (name === "acTL") isAnimated = true;
      else if (name === "eXIf") orientation = readOrientation(data);
    }
    const [width, height] = isTurned(orientation) ? sides.toReversed() : sides;
    return { format: "png", width: width ?? 0, height: height ?? 0, isAnimated };
  });
}

/** Keeps what shows the picture. Undefined if the file is not whole. */
export function stripPng(bytes: Uint8Array): Uint8Array | undefined {
  const parts = [bytes.subarray(0, signatureLength)];
  let isWhole = false;
  for (const { name, data, whole } of chunksOf(bytes)) {
    const orientation = name === "eXIf" ? readOrientation(data) : 1;
    if (keptChunks.has(name)) parts.push(whole);
    else if (orientation !== 1) parts.push(makeChunk("eXIf", bareOrientation(orientation)));
    if (name === "IEND") isWhole = true;
  }
  return isWhole ? concat(parts) : undefined;
}

function makeChunk(name: string, data: Uint8Array): Uint8Array {
  const covered = concat([new TextEncoder().encode(name), data]);
  const chunk = new Uint8Array(covered.length + 8);
  const view = viewOf(chunk);
  view.setUint32(0, data.length);
  chunk.set(covered, 4);
  view.setUint32(chunk.length - 4, crc32(covered));
  return chunk;
}

/** For the thirty bytes of an orientation: no table. */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}
