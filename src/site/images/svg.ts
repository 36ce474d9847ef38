import type { PictureFacts } from "./picture-facts.ts";

/** The root element stands near the top; what comes after is not looked at. */
const maxHeadBytes = 65_536;

/** Lengths that are pixels, or a fixed number of them (CSS Values 4 §6.2). */
const pixelsOf: Readonly<Record<string, number>> = {
  "": 1,
  px: 1,
  pt: 4 / 3,
  pc: 16,
  mm: 96 / 25.4,
  cm: 96 / 2.54,
  in: 96,
};

/**
 * Reads the size of an SVG from its root element: width and height, or else the viewBox.
 *
 * @returns "sizeless" when it has neither, undefined for what is no SVG
 */
export function readSvg(bytes: Uint8Array): PictureFacts | "sizeless" | undefined {
  const attributes = rootAttributes(new TextDecoder().decode(bytes.subarray(0, maxHeadBytes)));
  if (attributes === undefined) return undefined;
  const box = (attributes.get("viewBox") ?? "")
    .trim()
    .split(/[\s,]+/)
    .map(Number);
  const [, , boxWidth = 0, boxHeight = 0] = box.length === 4 && box.every(Number.isFinite) ? box : [];
  const ratio = boxWidth > 0 && boxHeight > 0 ? boxWidth / boxHeight : undefined;
  const givenWidth = lengthOf(attributes.get("width"));
  const givenHeight = lengthOf(attributes.get("height"));
  const width = givenWidth ?? (ratio === undefined ? undefined : (givenHeight ?? boxHeight) * ratio);
  const height = givenHeight ?? (ratio === undefined || width === undefined ? undefined : width / ratio);
  if (width === undefined || height === undefined) return "sizeless";
  const sides = { width: Math.max(1, Math.round(width)), height: Math.max(1, Math.round(height)) };
  return { format: "svg", ...sides, isAnimated: false };
}

/** What may stand before the root: a declaration, comments, a document type, white space. */
const beforeRoot = /\s+|<\?[^>]*\?>|<!--[^]*?-->|<!DOCTYPE(?:[^>[]|\[[^\]]*\])*>/iy;
const attribute = /\s+([\w:.-]+)\s*=\s*(?:"([^"<]*)"|'([^'<]*)')/y;

function rootAttributes(text: string): Map<string, string> | undefined {
  let at = text.startsWith("\uFEFF") ? 1 : 0;
  for (beforeRoot.lastIndex = at; beforeRoot.test(text); beforeRoot.lastIndex = at) at = beforeRoot.lastIndex;
  const start = /<(?:[\w.-]+:)?svg(?=[\s/>])/y;
  start.lastIndex = at;
  if (!start.test(text)) return undefined;
  const attributes = new Map<string, string>();
  attribute.lastIndex = start.lastIndex;
  for (let found = attribute.exec(text); found !== null; found = attribute.exec(text))
    attributes.set(found[1] ?? "", found[2] ?? found[3] ?? "");
  return attributes;
}

function lengthOf(written: string | undefined): number | undefined {
  const [, number, unit = ""] =
    /^\s*(\d{1,9}(?:\.\d{1,9})?)(px|pt|pc|mm|cm|in)?\s*$/.exec(written ?? "") ?? [];
  const pixels = Number(number) * (pixelsOf[unit] ?? 1);
  return pixels > 0 ? pixels : undefined;
}
