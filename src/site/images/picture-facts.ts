import { readAvif } from "./avif.ts";
import { begins, latin1 } from "./bytes.ts";
import { readGif } from "./gif.ts";
import { readJpeg } from "./jpeg.ts";
import { readPng } from "./png.ts";
import { readSvg } from "./svg.ts";
import { readWebp } from "./webp.ts";

/** The formats that are known. */
export type PictureFormat = "png" | "jpeg" | "gif" | "webp" | "avif" | "svg";

/** What a picture's file says of itself. */
export interface PictureFacts {
  readonly format: PictureFormat;
  /** In CSS pixels, as browsers show it: a photograph that was taken upright is higher than wide. */
  readonly width: number;
  readonly height: number;
  /** More than one frame: it can't be made smaller without losing all but the first. */
  readonly isAnimated: boolean;
}

/** The largest side that any of the formats can have. */
const maxSide = 2 ** 31 - 1;

/**
 * Reads a picture's format and size from its file. Only what frames the pixels is looked at, never they themselves; each step moves on
 * in the file, whatever it holds.
 *
 * @returns undefined for what is no whole header of a known format, "sizeless" for an SVG that has no size of its own
 */
export function readPicture(bytes: Uint8Array): PictureFacts | "sizeless" | undefined {
  const facts = formatReader(bytes)?.(bytes);
  if (facts === undefined || facts === "sizeless") return facts;
  const isSize = (side: number): boolean => Number.isInteger(side) && side > 0 && side <= maxSide;
  return isSize(facts.width) && isSize(facts.height) ? facts : undefined;
}

type Reader = (bytes: Uint8Array) => PictureFacts | "sizeless" | undefined;

function formatReader(bytes: Uint8Array): Reader | undefined {
  if (begins(bytes, [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])) return readPng;
  if (begins(bytes, [0xff, 0xd8, 0xff])) return readJpeg;
  if (latin1(bytes, 0, 4) === "GIF8") return readGif;
  if (latin1(bytes, 0, 4) === "RIFF" && latin1(bytes, 8, 12) === "WEBP") return readWebp;
  if (latin1(bytes, 4, 8) === "ftyp") return readAvif;
  return readSvg;
}
