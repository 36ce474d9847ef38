import type { ScriptFacts } from "./inspect-script.ts";
import type { StyleFacts } from "./inspect-style.ts";

/** A file of the site, as far as a page's policy needs to know it. What costs time is found out when it is asked for. */
export interface SiteFileView {
  /** Its address: an absolute path, decoded. */
  readonly path: string;
  /** Base64 of the SHA-256 of its bytes. */
  hash(): string;
  /** What it does, read as a script. */
  script(): ScriptFacts;
  /** It is the part of a bundler that loads the others, whose names it gets to know while it runs. */
  isBundlerLoader(): boolean;
  /** The scripts of the site that it names; see {@link SiteView.scriptsNamedIn}. */
  scriptsNamed(): readonly SiteFileView[];
  /** What it loads, read as a stylesheet. */
  stylesheet(): StyleFacts;
}

/** The site around a page. */
export interface SiteView {
  /** Its origin, if it is known: `https://www.example.com`. */
  readonly origin: string | undefined;
  /** Base64 of the SHA-256 of a text's UTF-8. */
  hash(text: string): string;
  /** The file that an address's path (decoded) leads to; undefined if there is none. */
  find(path: string): SiteFileView | undefined;
  /**
   * The scripts of the site whose file names, or the long parts of them, occur in a text: what a bundler's loader may ask for.
   */
  scriptsNamedIn(text: string): readonly SiteFileView[];
}

/** Stands for the site's origin where that is not known; no name below `.invalid` exists (RFC 2606). */
const unknownOrigin = "https://site.invalid";

/** Where an address leads. */
export type Target =
  /** To a path of the site, decoded. */
  | { readonly kind: "site"; readonly path: string; readonly url: URL }
  /** To another origin over HTTP or HTTPS, or to its WebSocket. */
  | { readonly kind: "foreign"; readonly url: URL }
  /** To something that has no origin: `data:`, `blob:`, `about:`, `mailto:`, `javascript:`, `file:`. */
  | { readonly kind: "opaque"; readonly url: URL };

/** Reads addresses as a browser does on a page. */
export interface Addresses {
  /** The page's own URL. */
  readonly page: URL;
  /** What relative addresses start from. */
  readonly base: URL;
  /** Undefined for what no browser can read as an address. */
  resolve(address: string, from?: URL): Target | undefined;
}

/**
 * Creates the reader of a page's addresses.
 *
 * @param base the page's `<base href>`, as written
 * @param fallback what addresses start from without one. Default: the page itself
 */
export function createAddresses(
  origin: string | undefined,
  path: string,
  base: string | undefined,
  fallback?: URL,
): Addresses {
  const page = new URL(encodePath(path), origin ?? unknownOrigin);
  const without = fallback ?? page;
  const based = base === undefined ? without : (URL.parse(base, without) ?? without);
  // HTML §2.4.3: data: and javascript: make no base.
  const start = based.protocol === "data:" || based.protocol === "javascript:" ? without : based;
  return {
    page,
    base: start,
    resolve(address, from = start) {
      const url = URL.parse(address, from);
      if (url === null) return undefined;
      if (url.origin === page.origin) return { kind: "site", path: decodePath(url.pathname), url };
      return /^(?:https?|wss?):$/.test(url.protocol) ? { kind: "foreign", url } : { kind: "opaque", url };
    },
  };
}

/** Writes a decoded path as an address. */
export function encodePath(path: string): string {
  return path.split("/").map(encodeURIComponent).join("/");
}

function decodePath(pathname: string): string {
  try {
    return decodeURIComponent(pathname);
  } catch {
    return pathname;
  }
}

/**
 * The source expression of an exact address: CSP has no place for a query, and reads `;` and `,` as its own (CSP 3 §2.3.1). A
 * plain HTTP address is upgraded before it is compared.
 */
export function exactSource(url: URL): string {
  return `${secureOrigin(url)}${url.pathname.replaceAll(";", "%3B").replaceAll(",", "%2C")}`;
}

/** The source expression of an origin. */
export function secureOrigin(url: URL): string {
  return `${url.protocol.replace(/^http:/, "https:").replace(/^ws:/, "wss:")}//${url.host}`;
}
