import { readAttributes } from "../facts/attributes.ts";
import type { RawAttribute } from "../facts/attributes.ts";
import { isSameBytes, latin1 } from "../runtime.ts";
import { isSpace } from "./text.ts";

/** How far a browser looks for a declaration before it starts to read. */
const prescanBytes = 1024;

/** What pages begin with, and what that declares: all of a site begin alike. */
interface Beginning {
  /** Up to the end of the tag that declares it. */
  readonly bytes: Uint8Array;
  readonly label: string;
}

const beginnings: (Beginning | undefined)[] = [];
const slots = 16;

/** By a few bytes that differ between sites, and not between the pages of one. */
const slotOf = (bytes: Uint8Array): number =>
  ((bytes[30] ?? 0) * 5 + (bytes[60] ?? 0) * 3 + (bytes[90] ?? 0)) & (slots - 1);

/** Finds what {@link prescan} does, and remembers it by the bytes that it had to look at. */
export function knownPrescan(page: Uint8Array): string | undefined {
  const slot = slotOf(page);
  const known = beginnings[slot];
  if (
    known !== undefined &&
    known.bytes.length <= page.length &&
    isSameBytes(known.bytes, page, 0, known.bytes.length)
  )
    return known.label;
  const found = scanBeginning(page);
  if (found?.to !== undefined) beginnings[slot] = { bytes: page.slice(0, found.to), label: found.label };
  return found?.label;
}

/**
 * Finds the label of the encoding that a page declares in its first 1024 bytes.
 *
 * @see https://html.spec.whatwg.org/multipage/parsing.html#prescan-a-byte-stream-to-determine-its-encoding
 */
export function prescan(bytes: Uint8Array): string | undefined {
  return scanBeginning(bytes)?.label;
}

interface Declaration {
  readonly label: string;
  /** Behind the tag that holds it: what follows changes nothing. Undefined if the tag doesn't end where one has stopped to look. */
  readonly to: number | undefined;
}

function scanBeginning(bytes: Uint8Array): Declaration | undefined {
  const text = latin1(bytes, 0, Math.min(prescanBytes, bytes.length));
  if (!/charset/i.test(text)) return undefined;
  let at = 0;
  while (at < text.length) {
    const open = text.indexOf("<", at);
    if (open === -1) return undefined;
    if (text.startsWith("<!--", open)) {
      // `<!-->` is a whole comment here: the two hyphens may be both ends of it.
      const close = text.indexOf("-->", open + 2);
      if (close === -1) return undefined;
      at = close + 3;
    } else if (startsTag(text, open)) {
      const isMeta = startsMeta(text, open);
      const { attributes, to } = readAttributes(text, isMeta ? open + "<meta".length : nameEnd(text, open));
      const label = isMeta ? declaredIn(text, attributes) : undefined;
      if (to === undefined) return label === undefined ? undefined : { label, to };
      if (label !== undefined) return { label, to };
      at = to;
    } else if (/^<[!/?]/.test(text.slice(open, open + 2))) {
      const close = text.indexOf(">", open);
      if (close === -1) return undefined;
      at = close + 1;
    } else {
      at = open + 1;
    }
  }
  return undefined;
}

function startsTag(text: string, open: number): boolean {
  const first = text.charCodeAt(text[open + 1] === "/" ? open + 2 : open + 1) | 0x20;
  return first >= 0x61 && first <= 0x7a;
}

function startsMeta(text: string, open: number): boolean {
  const after = text.charCodeAt(open + 5);
  return (after === 0x2f || isSpace(after)) && text.slice(open + 1, open + 5).toLowerCase() === "meta";
}

function nameEnd(text: string, open: number): number {
  let at = open + 1;
  while (at < text.length && text[at] !== ">" && !isSpace(text.charCodeAt(at))) at++;
  return at;
}

function declaredIn(text: string, attributes: readonly RawAttribute[]): string | undefined {
  const first = new Map<string, string>();
  for (const { nameFrom, nameTo, valueFrom, valueTo } of attributes) {
    const name = text.slice(nameFrom, nameTo).toLowerCase();
    if (!first.has(name)) first.set(name, text.slice(valueFrom, valueTo));
  }
  return declaredEncoding((name) => first.get(name));
}

/** What a `<meta>` says about the encoding, by its attributes. */
export function declaredEncoding(attribute: (name: string) => string | undefined): string | undefined {
  const charset = attribute("charset");
  if (charset !== undefined) return charset;
  if (attribute("http-equiv")?.toLowerCase() !== "content-type") return undefined;
  return charsetIn(attribute("content") ?? "");
}

/**
 * Finds the charset in the content of a `<meta http-equiv=content-type>`.
 *
 * @see https://html.spec.whatwg.org/multipage/urls-and-fetching.html#extracting-character-encodings-from-meta-elements
 */
export function charsetIn(content: string): string | undefined {
  const found =
    /charset[\t\n\f\r ]*=[\t\n\f\r ]*(?:"([^"]*)"|'([^']*)'|([^"'\t\n\f\r ;][^\t\n\f\r ;]*))/i.exec(content);
  return found === null ? undefined : (found[1] ?? found[2] ?? found[3]);
}
