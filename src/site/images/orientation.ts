import { latin1, orNothing, viewOf } from "./bytes.ts";

/** How a camera was held: 1 upright, 2 to 8 turned or mirrored. From 5 on, width and height change places. */
export type Orientation = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

/** Whether a picture is shown on its side. */
export const isTurned = (orientation: Orientation): boolean => orientation >= 5;

/** Tags that a directory is searched for at most. */
const maxTags = 512;
const orientationTag = 0x0112;

/** Reads the orientation of a block of Exif data: the one thing in it that a browser shows. */
export function readOrientation(tiff: Uint8Array): Orientation {
  return orNothing(() => findOrientation(tiff)) ?? 1;
}

function findOrientation(tiff: Uint8Array): Orientation | undefined {
  const order = latin1(tiff, 0, 2);
  if (order !== "II" && order !== "MM") return undefined;
  const isLittle = order === "II";
  const view = viewOf(tiff);
  if (view.getUint16(2, isLittle) !== 42) return undefined;
  const directory = view.getUint32(4, isLittle);
  const count = Math.min(view.getUint16(directory, isLittle), maxTags);
  for (let index = 0; index < count; index++) {
    const at = directory + 2 + index * 12;
    if (view.getUint16(at, isLittle) !== orientationTag) continue;
    const value = view.getUint16(at + 8, isLittle);
    return value >= 1 && value <= 8 ? (value as Orientation) : undefined;
  }
  return undefined;
}

/** Exif data that says how the picture is held, and nothing else. */
export function bareOrientation(orientation: Orientation): Uint8Array {
  // Big-endian, 42, the directory at 8.
  const head = [0x4d, 0x4d, 0, 42, 0, 0, 0, 8];
  // One entry: the tag, a short, one of them, its value.
  const entry = [0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0];
  // No further directory.
  return Uint8Array.from([...head, ...entry, 0, 0, 0, 0]);
}
