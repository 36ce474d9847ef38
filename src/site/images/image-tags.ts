/** A tag that begins an element, as our own serialisers write it: attributes in double quotes, no quote inside of a value. */
const tag = /<([a-z][a-z0-9]*)((?: [^\s"'<>=/]+(?:="[^"]*")?)*)>/g;
const attribute = / ([^\s"'<>=/]+)(?:="([^"]*)")?/g;

/** Values as they are written, references included. */
export type WrittenAttributes = ReadonlyMap<string, string>;

/**
 * Goes through the images of a sanitised text. It reads what our own serialisers wrote and nothing else: a `<` in a text is escaped there, one
 * in a value lies inside of the tag that was found before it.
 *
 * @param change what the image's element becomes: a text, other attributes, or undefined for what it is
 */
export function rewriteImages(
  html: string,
  change: (attributes: WrittenAttributes) => WrittenAttributes | string | undefined,
): string {
  if (!html.includes("<img")) return html;
  return html.replace(tag, (whole: string, name: string, written: string) => {
    if (name !== "img") return whole;
    const attributes = new Map<string, string>();
    for (const [, key = "", value = ""] of written.matchAll(attribute)) attributes.set(key, value);
    const changed = change(attributes);
    if (changed === undefined) return whole;
    return typeof changed === "string" ? changed : writeImage(changed);
  });
}

/** The addresses of a sanitised text's images. */
export function imageAddresses(html: string): string[] {
  const addresses: string[] = [];
  rewriteImages(html, (attributes) => {
    const source = attributes.get("src");
    if (source !== undefined) addresses.push(decodeReferences(source));
    return undefined;
  });
  return addresses;
}

/** Writes an image from attributes that are written already. */
export const writeImage = (attributes: WrittenAttributes): string =>
  `<img${[...attributes].map(([name, value]) => ` ${name}="${value}"`).join("")}>`;

/** The references that our serialisers write. */
export function decodeReferences(value: string): string {
  return value.replaceAll(/&#x([0-9A-Fa-f]{2});/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
}
