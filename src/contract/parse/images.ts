import type { ContractImages } from "../contract/site.ts";
import type { Problems } from "./problems.ts";
import { optionalText, quote, section } from "./values.ts";

const defaultWidths: readonly number[] = [480, 960, 1600];
const knownFormats: readonly unknown[] = ["avif", "webp"];
const maxWidths = 8;

/** Reads what photographs are offered as. */
export function parseImages(problems: Problems, value: unknown): ContractImages | undefined {
  if (value === false) return undefined;
  const options = section(problems, "site.images", value ?? {}, ["widths", "formats", "sizes"]) ?? {};
  const { widths = defaultWidths, formats = knownFormats } = options;
  return {
    widths: parseWidths(problems, widths),
    formats: parseFormats(problems, formats),
    sizes: parseSizes(problems, optionalText(problems, "site.images.sizes", options.sizes)),
  };
}

function parseWidths(problems: Problems, value: unknown): number[] {
  const isWidth = (width: unknown): width is number =>
    typeof width === "number" && Number.isInteger(width) && width >= 16 && width <= 8192;
  if (Array.isArray(value) && value.length > 0 && value.length <= maxWidths && value.every(isWidth))
    return [...new Set(value)].sort((left, right) => left - right);
  problems.add(
    "CONTRACT_OPTION_INVALID",
    `site.images.widths must be one to ${maxWidths} whole numbers from 16 to 8192, not ${quote(value)}.`,
    "images: { widths: [480, 960, 1600] },",
  );
  return [];
}

function parseFormats(problems: Problems, value: unknown): ContractImages["formats"] {
  if (Array.isArray(value) && value.length > 0 && value.every((format) => knownFormats.includes(format)))
    return [...new Set(value as ("avif" | "webp")[])];
  problems.add(
    "CONTRACT_OPTION_INVALID",
    `site.images.formats must list "avif", "webp" or both, not ${quote(value)}.`,
    "For photographs as they are, write  images: false,",
  );
  return [];
}

/** Written into an attribute as it stands: letters of lengths and of media conditions, nothing that ends the attribute. */
function parseSizes(problems: Problems, value: string | undefined): string | undefined {
  if (value === undefined || /^[A-Za-z0-9 ().,:%*/+<=>-]{1,500}$/.test(value)) return value;
  problems.add(
    "CONTRACT_OPTION_INVALID",
    `site.images.sizes must be what <img sizes> takes, not ${quote(value)}.`,
    'images: { sizes: "(min-width: 60rem) 60rem, 100vw" },',
  );
  return undefined;
}
