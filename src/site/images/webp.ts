import { concat, latin1, orNothing, viewOf } from "./bytes.ts";
import { bareOrientation, readOrientation } from "./orientation.ts";
import type { PictureFacts } from "./picture-facts.ts";

const keptChunks = new Set(["VP8X", "VP8 ", "VP8L", "ALPH", "ANIM", "ANMF", "ICCP"]);
const exifFlag = 0x08;
const xmpFlag = 0x04;
const animationFlag = 0x02;

interface Chunk {
  readonly name: string;
  readonly data: Uint8Array;
  /** With its head, and padded to an even length. */
  readonly whole: Uint8Array;
}

function* chunksOf(bytes: Uint8Array): Generator<Chunk> {
  const view = viewOf(bytes);
  const fileEnd = Math.min(bytes.length, 8 + view.getUint32(4, true));
  let at = 12;
  while (at + 8 <= fileEnd) {
    const length = view.getUint32(at + 4, true);
    const end = at + 8 + length;
    if (end > bytes.length) return;
    const whole = bytes.subarray(at, end + (length & 1));
    yield { name: latin1(bytes, at, at + 4), data: bytes.subarray(at + 8, end), whole };
    at = end + (length & 1);
  }
}

/** @see RFC 9649 §2.5 to §2.7 */
export function readWebp(bytes: Uint8Array): PictureFacts | undefined {
  return orNothing(() => {
    for (const { name, data } of chunksOf(bytes)) {
      const view = viewOf(data);
      if (name === "VP8X") {
        const [width, height] = [uint24(view, 4) + 1, uint24(view, 7) + 1];
        return { format: "webp", width, height, isAnimated: (view.getUint8(0) & animationFlag) !== 0 };
      }
      if (name === "VP8L") {
        const bits = view.getUint32(1, true);
        const [width, height] = [(bits & 0x3fff) + 1, ((bits >>> 14) & 0x3fff) + 1];
        return view.getUint8(0) === 0x2f ? { format: "webp", width, height, isAnimated: false } : undefined;
      }
      if (name === "VP8 ") {
        const [width, height] = [view.getUint16(6, true) & 0x3fff, view.getUint16(8, true) & 0x3fff];
        const isKeyFrame = view.getUint8(3) === 0x9d && view.getUint16(4) === 0x012a;
        return isKeyFrame ? { format: "webp", width, height, isAnimated: false } : undefined;
      }
    }
    return undefined;
  });
}

const uint24 = (view: DataView, at: number): number =>
  view.getUint16(at, true) + view.getUint8(at + 2) * 65_536;

/** Keeps what shows the picture. Undefined if the file is not whole. */
export function stripWebp(bytes: Uint8Array): Uint8Array | undefined {
  return orNothing(() => {
    if (8 + viewOf(bytes).getUint32(4, true) > bytes.length) return undefined;
    const chunks = [...chunksOf(bytes)];
    const exif = chunks.find(({ name }) => name === "EXIF");
    const orientation = exif === undefined ? 1 : readOrientation(withoutPrefix(exif.data));
    const kept = chunks
      .filter(({ name }) => keptChunks.has(name))
      .map(({ name, whole }) => (name === "VP8X" ? withFlags(whole, orientation !== 1) : whole));
    if (orientation !== 1) kept.push(makeChunk("EXIF", bareOrientation(orientation)));
    const body = concat([new TextEncoder().encode("WEBP"), ...kept]);
    return makeChunk("RIFF", body);
  });
}

/** Some write the JPEG's prefix here too. */
const withoutPrefix = (data: Uint8Array): Uint8Array =>
  latin1(data, 0, 6) === "Exif\0\0" ? data.subarray(6) : data;

function withFlags(chunk: Uint8Array, hasExif: boolean): Uint8Array {
  const changed = chunk.slice();
  const flags = (changed[8] ?? 0) & ~(exifFlag | xmpFlag);
  changed[8] = hasExif ? flags | exifFlag : flags;
  return changed;
}

function makeChunk(name: string, data: Uint8Array): Uint8Array {
  const chunk = new Uint8Array(8 + data.length + (data.length & 1));
  chunk.set(new TextEncoder().encode(name));
  viewOf(chunk).setUint32(4, data.length, true);
  chunk.set(data, 8);
  return chunk;
}
