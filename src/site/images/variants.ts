import type { ContractImages } from "../../contract/index.ts";
import type { PictureFacts, PictureFormat } from "./picture-facts.ts";

/** What pictures are encoded as. */
export type VariantFormat = ContractImages["formats"][number];

/** A picture in another size and format. */
export interface Variant {
  readonly format: VariantFormat;
  readonly width: number;
  readonly height: number;
}

/** What is decoded at most: a small file can unfold to gigabytes. */
export const maxPixels = 100_000_000;
/** Below this a picture is an icon, and its file as small as it gets. */
const minWidth = 200;
const divisible: ReadonlySet<PictureFormat> = new Set(["jpeg", "png", "webp", "avif"]);

/** Whether a picture comes in other sizes. SVG has all of them; what moves would stand still. */
export function hasVariants({ format, width, height, isAnimated }: PictureFacts): boolean {
  return divisible.has(format) && !isAnimated && width >= minWidth && width * height <= maxPixels;
}

/** The widths that a picture is offered in: those that are smaller than it, and the largest that it can fill. */
export function variantWidths(widths: readonly number[], own: number): number[] {
  const largest = Math.min(own, Math.max(...widths));
  return [...new Set([...widths.filter((width) => width < largest), largest])].sort(
    (left, right) => left - right,
  );
}

/** A variant's name among the assets: `pictures/rye.jpg?avif-480`. No file's name has a question mark. */
export const variantName = (name: string, format: VariantFormat, width: number): string =>
  `${name}?${format}-${width}`;

/** Reads {@link variantName}; undefined for the name of a file. */
export function parseVariantName(
  name: string,
): { readonly name: string; readonly format: VariantFormat; readonly width: number } | undefined {
  const [, file = "", format = "", width = ""] = /^([^?]+)\?(avif|webp)-([1-9][0-9]{0,5})$/.exec(name) ?? [];
  return file === "" ? undefined : { name: file, format: format as VariantFormat, width: Number(width) };
}
