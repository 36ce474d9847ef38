import { CurtainwallError } from "../../shared/index.ts";
import type { HtmlErrorCode } from "../errors.ts";
import { knownPrescan } from "./prescan.ts";
import { isUtf8, latin1 } from "../runtime.ts";

/** A page's text, and the UTF-8 that it is rewritten in. */
export interface DecodedPage {
  /** Valid UTF-8: what was given, unless that was in another encoding or not valid. */
  readonly bytes: Uint8Array;
  /** The text of `bytes` without its byte order mark. Decoded when asked for: the scanner doesn't. */
  readonly text: () => string;
  /** Length of the byte order mark at the start of `bytes`: 0 or 3. */
  readonly mark: number;
  /** Its WHATWG name. */
  readonly encoding: string;
  /** Nothing but the page's own text said so: a `<meta>` that comes late may still change it. */
  readonly tentative: boolean;
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * Decodes a page as a browser does: a byte order mark, then the header's charset, then what the page declares.
 * A page that says nothing is UTF-8 if it is valid UTF-8, else windows-1252.
 *
 * @throws {CurtainwallError} `HTML_ENCODING_UNSUPPORTED`
 * @see https://html.spec.whatwg.org/multipage/parsing.html#determining-the-character-encoding
 */
export function decodePage(bytes: Uint8Array, charset?: string): DecodedPage {
  const marked = markedEncoding(bytes);
  if (marked !== undefined) return decodeAs(bytes, marked, false);
  const served = charset === undefined ? undefined : encodingOf(charset);
  if (served !== undefined) return decodeAs(bytes, served, false);
  const label = knownPrescan(bytes);
  const declared = label === undefined ? undefined : declaredAs(label);
  if (declared !== undefined) return decodeAs(bytes, declared, false);
  return isUtf8(bytes) ? { ...asUtf8(bytes), tentative: true } : decodeAs(bytes, "windows-1252", true);
}

/**
 * Decodes an XML file: a byte order mark, then the header's charset, then its declaration, else UTF-8. What can't be decoded is an error.
 *
 * @throws {CurtainwallError} `HTML_ENCODING_UNSUPPORTED`
 * @see https://www.w3.org/TR/xml/#charencoding, RFC 7303 §3
 */
export function decodeXml(bytes: Uint8Array, charset?: string): DecodedPage | undefined {
  const start = latin1(bytes, 0, Math.min(256, bytes.length));
  const declared = /^<\?xml[^>]*?\sencoding\s*=\s*["']([^"']*)["']/.exec(start)?.[1];
  const named = [charset, declared].find((label) => label !== undefined && encodingOf(label) !== undefined);
  const encoding = markedEncoding(bytes) ?? (named === undefined ? undefined : encodingOf(named)) ?? "utf-8";
  const page = decodeAs(bytes, encoding, false);
  return encoding === "utf-8" && page.bytes !== bytes ? undefined : page;
}

function markedEncoding(bytes: Uint8Array): string | undefined {
  const [first, second, third] = [bytes[0], bytes[1], bytes[2]];
  if (first === 0xef && second === 0xbb && third === 0xbf) return "utf-8";
  if (first === 0xfe && second === 0xff) return "utf-16be";
  if (first === 0xff && second === 0xfe) return "utf-16le";
  return undefined;
}

/** What a `<meta>` with this label means: one that can be read is not in UTF-16. */
export function declaredAs(label: string): string | undefined {
  const encoding = encodingOf(label);
  if (encoding === "utf-16le" || encoding === "utf-16be") return "utf-8";
  return encoding === "x-user-defined" ? "windows-1252" : encoding;
}

/** The labels that browsers answer with a page of one replacement character, because they were used to hide script. */
const replaced = new Set([
  "csiso2022kr",
  "hz-gb-2312",
  "iso-2022-cn",
  "iso-2022-cn-ext",
  "iso-2022-kr",
  "replacement",
]);

function encodingOf(label: string): string | undefined {
  // Nearly every page's.
  if (/^utf-8$/i.test(label)) return "utf-8";
  const trimmed = label.replace(/^[\t\n\f\r ]+|[\t\n\f\r ]+$/g, "").toLowerCase();
  if (replaced.has(trimmed))
    throw new CurtainwallError<HtmlErrorCode>(
      "HTML_ENCODING_UNSUPPORTED",
      `The page says that it is in ${trimmed}, which browsers refuse to read.`,
      { hint: "Convert the page to UTF-8 and declare that: <meta charset=utf-8>." },
    );
  try {
    return new TextDecoder(trimmed).encoding;
  } catch {
    // A label that nobody knows counts as none.
    return undefined;
  }
}

function decodeAs(bytes: Uint8Array, encoding: string, tentative: boolean): DecodedPage {
  if (encoding === "utf-8") return decodeUtf8(bytes);
  const text = new TextDecoder(encoding).decode(bytes);
  return { bytes: new TextEncoder().encode(text), text: () => text, mark: 0, encoding, tentative };
}

/** What can't be decoded becomes U+FFFD, as in a browser, and is written out so: offsets then mean the same everywhere. */
function decodeUtf8(bytes: Uint8Array): DecodedPage {
  return asUtf8(isUtf8(bytes) ? bytes : new TextEncoder().encode(decoder.decode(bytes)));
}

function asUtf8(bytes: Uint8Array): DecodedPage {
  const mark = markedEncoding(bytes) === "utf-8" ? 3 : 0;
  return {
    bytes,
    text: () => decoder.decode(bytes.subarray(mark)),
    mark,
    encoding: "utf-8",
    tentative: false,
  };
}
