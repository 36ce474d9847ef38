import { concat, latin1, orNothing, viewOf } from "./bytes.ts";
import { bareOrientation, isTurned, readOrientation } from "./orientation.ts";
import type { Orientation } from "./orientation.ts";
import type { PictureFacts } from "./picture-facts.ts";

const startOfScan = 0xda;
const endOfImage = 0xd9;
const isFrame = (marker: number): boolean =>
  marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
/** Markers that stand alone: restarts, and TEM. */
const isBare = (marker: number): boolean => (marker >= 0xd0 && marker <= 0xd7) || marker === 0x01;

interface Segment {
  readonly marker: number;
  readonly data: Uint8Array;
  /** With its marker and length; for a scan, with the pixels behind it. */
  readonly whole: Uint8Array;
}

function* segmentsOf(bytes: Uint8Array): Generator<Segment> {
  const view = viewOf(bytes);
  let at = 2;
  while (at + 2 <= bytes.length && bytes[at] === 0xff) {
    const marker = bytes[at + 1] ?? 0;
    if (marker === 0xff) {
      at++;
      continue;
    }
    if (marker === endOfImage || isBare(marker)) {
      yield { marker, data: bytes.subarray(at, at), whole: bytes.subarray(at, at + 2) };
      if (marker === endOfImage) return;
      at += 2;
      continue;
    }
    if (at + 4 > bytes.length) return;
    const headEnd = at + 2 + view.getUint16(at + 2);
    if (headEnd < at + 4 || headEnd > bytes.length) return;
    const end = marker === startOfScan ? scanEnd(bytes, headEnd) : headEnd;
    yield { marker, data: bytes.subarray(at + 4, headEnd), whole: bytes.subarray(at, end) };
    at = end;
  }
}

/** Pixels go on until a marker that is no restart; in them 0xFF is followed by nought. */
function scanEnd(bytes: Uint8Array, from: number): number {
  for (let at = bytes.indexOf(0xff, from); at >= 0; at = bytes.indexOf(0xff, at + 1)) {
    const next = bytes[at + 1];
    if (next === undefined) return bytes.length;
    if (next !== 0 && next !== 0xff && !isBare(next)) return at;
  }
  return bytes.length;
}

const isExif = ({ marker, data }: Segment): boolean => marker === 0xe1 && latin1(data, 0, 6) === "Exif\0\0";

/** @see ITU-T T.81 Annex B; Exif 2.32 §4.5.4 */
export function readJpeg(bytes: Uint8Array): PictureFacts | undefined {
  return orNothing(() => {
    let orientation: Orientation = 1;
    for (const segment of segmentsOf(bytes)) {
      const { marker, data } = segment;
      if (isExif(segment)) orientation = readOrientation(data.subarray(6));
      if (marker === startOfScan) return undefined;
      if (!isFrame(marker)) continue;
      const view = viewOf(data);
      const [height, width] = [view.getUint16(1), view.getUint16(3)];
      const sides = isTurned(orientation) ? { width: height, height: width } : { width, height };
      return { format: "jpeg", ...sides, isAnimated: false };
    }
    return undefined;
  });
}

/**
 * Keeps what shows the picture: tables, pixels, the colour profile, how it is held. The place and the time where it was taken, the
 * camera's number, previews of what was cut off, comments, and pictures behind its end go. Undefined if the file is not whole.
 */
export function stripJpeg(bytes: Uint8Array): Uint8Array | undefined {
  const parts = [bytes.subarray(0, 2)];
  let isWhole = false;
  for (const segment of segmentsOf(bytes)) {
    parts.push(...keptOf(segment));
    if (segment.marker === endOfImage) isWhole = true;
  }
  return isWhole ? concat(parts) : undefined;
}

function keptOf(segment: Segment): Uint8Array[] {
  const { marker, data, whole } = segment;
  if (isExif(segment)) {
    const orientation = readOrientation(data.subarray(6));
    return orientation === 1 ? [] : [exifSegment(orientation)];
  }
  if (marker === 0xe0) return latin1(data, 0, 5) === "JFIF\0" ? [withoutThumbnail(data)] : [];
  const isColour =
    (marker === 0xe2 && latin1(data, 0, 12) === "ICC_PROFILE\0") ||
    (marker === 0xee && latin1(data, 0, 5) === "Adobe");
  const tells = (marker >= 0xe0 && marker <= 0xef) || marker === 0xfe;
  return isColour || !tells ? [whole] : [];
}

/** JFIF's own head has room for a small picture behind its first fourteen bytes. */
function withoutThumbnail(data: Uint8Array): Uint8Array {
  const head = data.slice(0, 14);
  head.fill(0, 12);
  return concat([Uint8Array.of(0xff, 0xe0, 0, head.length + 2), head]);
}

function exifSegment(orientation: Orientation): Uint8Array {
  const body = concat([new TextEncoder().encode("Exif\0\0"), bareOrientation(orientation)]);
  return concat([Uint8Array.of(0xff, 0xe1, 0, body.length + 2), body]);
}
