import { decodeReferences, rewriteImages, writeImage } from "./image-tags.ts";
import type { WrittenAttributes } from "./image-tags.ts";
import type { PicturePlacer } from "./place-pictures.ts";

/** Completes the images in sanitised content. */
export function completeContent(html: string, pictures: PicturePlacer): string {
  return rewriteImages(html, (attributes) => completeImage(attributes, pictures));
}

function completeImage(written: WrittenAttributes, pictures: PicturePlacer): string | undefined {
  const picture = pictures.find(decodeReferences(written.get("src") ?? ""));
  if (picture === undefined) return undefined;
  const attributes = new Map(written);
  const size = { width: number(attributes.get("width")), height: number(attributes.get("height")) };
  const { width, height, loading } = pictures.complete(picture.facts, size);
  attributes.set("src", picture.address);
  // The sanitiser knows no page: it says of each image that it may come later.
  if (loading === undefined) attributes.delete("loading");
  if (width !== undefined) attributes.set("width", String(width)).set("height", String(height));
  const image = writeImage(attributes);
  const sources = pictures
    .offer(picture, { width: size.width })
    .map(({ type, srcset, sizes }) => `<source type="${type}" srcset="${srcset}" sizes="${sizes}">`);
  if (sources.length === 0) return image;
  return `<picture>${sources.join("")}${image}</picture>`;
}

function number(value: string | undefined): number | undefined {
  return value !== undefined && /^[1-9][0-9]{0,5}$/.test(value) ? Number(value) : undefined;
}
