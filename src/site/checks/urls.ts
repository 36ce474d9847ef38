const linkSchemes = new Set(["https:", "http:", "mailto:", "tel:"]);

/** Attributes whose value a browser takes for an address, lower case, without `-` and `:`. */
export const urlAttributes: ReadonlySet<string> = new Set([
  "href",
  "src",
  "action",
  "formaction",
  "poster",
  "cite",
  "data",
  "xlinkhref",
  "background",
  "longdesc",
  "manifest",
  "ping",
  "srcset",
  "imagesrcset",
]);

/** Reads an attribute's name the way that tells names apart: `xlink:href`, `xlinkHref` and `XLINK-HREF` are one. */
export function attributeKey(name: string): string {
  return name.toLowerCase().replaceAll(/[:\-_]/g, "");
}

/** The addresses in an attribute: one, or a `srcset`'s. */
export function addressesIn(key: string, value: string): string[] {
  if (key !== "srcset" && key !== "imagesrcset") return [value];
  return value
    .split(",")
    .map((candidate) => candidate.trim().split(/\s/, 1)[0] ?? "")
    .filter((address) => address !== "");
}

/**
 * Reads an address as a browser would (tabs and line breaks inside a scheme are ignored), or returns undefined when its scheme is
 * not https, http, mailto or tel.
 */
export function parseLink(address: string, base: string): URL | undefined {
  const url = URL.parse(address, base);
  return url !== null && linkSchemes.has(url.protocol) ? url : undefined;
}
