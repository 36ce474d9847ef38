import type { PicturePlacer } from "./place-pictures.ts";

/** A tag that begins an element, as our own serialisers write it: attributes in double quotes, no quote inside of a value. */
const tag = /<([a-z][a-z0-9]*)((?: [^\s"'<>=/]+(?:="[^"]*")?)*)>/g;
const attribute = / ([^\s"'<>=/]+)(?:="([^"]*)")?/g;

/**
 * Completes the images in sanitised content. It reads what our own serialisers wrote and nothing else: a `<` in a text is escaped there, one
 * in a value lies inside of the tag that was found before it.
 */
export function completeContent(html: string, pictures: PicturePlacer): string {
  if (!html.includes("<img")) return html;
  return html.replace(tag, (whole: string, name: string, written: string) =>
    name === "img" ? completeImage(whole, written, pictures) : whole,
  );
}

function completeImage(whole: string, written: string, pictures: PicturePlacer): string {
  const attributes = new Map<string, string>();
  for (const [, name = "", value = ""] of written.matchAll(attribute)) attributes.set(name, value);
  const picture = pictures.find(decode(attributes.get("src") ?? ""));
  if (picture === undefined) return whole;
  const size = { width: number(attributes.get("width")), height: number(attributes.get("height")) };
  const { width, height, loading } = pictures.complete(picture.facts, size);
  attributes.set("src", picture.address);
  // The sanitiser knows no page: it says of each image that it may come later.
  if (loading === undefined) attributes.delete("loading");
  if (width !== undefined) attributes.set("width", String(width)).set("height", String(height));
  const image = `<img${[...attributes].map(([name, value]) => ` ${name}="${value}"`).join("")}>`;
  const sources = pictures
    .offer(picture, { width: size.width })
    .map(({ type, srcset, sizes }) => `<source type="${type}" srcset="${srcset}" sizes="${sizes}">`);
  if (sources.length === 0) return image;
  return `<picture>${sources.join("")}${image}</picture>`;
}

/** The references that our serialisers write. */
function decode(value: string): string {
  return value.replaceAll(/&#x([0-9A-Fa-f]{2});/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
}

function number(value: string | undefined): number | undefined {
  return value !== undefined && /^[1-9][0-9]{0,5}$/.test(value) ? Number(value) : undefined;
}
