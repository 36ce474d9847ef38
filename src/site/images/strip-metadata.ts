import { stripAvif } from "./avif.ts";
import { stripGif } from "./gif.ts";
import { stripJpeg } from "./jpeg.ts";
import type { PictureFormat } from "./picture-facts.ts";
import { stripPng } from "./png.ts";
import { stripWebp } from "./webp.ts";

const strippers: Readonly<
  Record<Exclude<PictureFormat, "svg">, (bytes: Uint8Array) => Uint8Array | undefined>
> = {
  png: stripPng,
  jpeg: stripJpeg,
  gif: stripGif,
  webp: stripWebp,
  avif: stripAvif,
};

/**
 * Takes out of a picture's file what is not shown: where and when it was taken, with which camera, previews, comments, what stands behind
 * its end. Not a pixel changes, nor its colours, nor how it is held.
 *
 * @returns undefined for a file that is not whole, of which nothing is known
 */
export function stripMetadata(bytes: Uint8Array, format: PictureFormat): Uint8Array | undefined {
  return format === "svg" ? bytes : strippers[format](bytes);
}
