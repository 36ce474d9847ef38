import { createRecent } from "../../html/index.ts";
import type { ScriptFacts } from "../inspect/inspect-script.ts";
import type { StyleFacts } from "../inspect/inspect-style.ts";

/** What an `integrity` may be made with. */
export type Digest = "sha256" | "sha384" | "sha512";

/** A file of the site, as far as a page's policy needs to know it. What costs time is found out when it is asked for. */
export interface SiteFileView {
  /** Its address: an absolute path, decoded. */
  readonly path: string;
  /** Base64 of the SHA-256 of its bytes. */
  hash(): string;
  /** Base64 of the digest of its bytes; undefined if that can't be told here. */
  digest(algorithm: Digest): string | undefined;
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
 * @param onOwn told when somebody looks where an address leads that may lead elsewhere on another page of the same folder
 */
export function createAddresses(
  origin: string | undefined,
  path: string,
  base: string | undefined,
  fallback?: URL,
  onOwn?: () => void,
): Addresses {
  const without = fallback ?? (base === undefined ? undefined : urlOf(origin, path));
  const start = base === undefined || without === undefined ? without : basedOn(base, without);
  const scope = start === undefined ? scopeOf(origin ?? unknownOrigin, encodePath(path)) : scopeOfUrl(start);
  let page: URL | undefined;
  const own = (): URL => (page ??= urlOf(origin, path));
  return {
    get page() {
      return own();
    },
    get base() {
      return start ?? own();
    },
    resolve(address, from) {
      const resolve = (): Resolved => resolveFrom(address, from ?? start ?? own(), origin);
      const key = keyOf(address, from === undefined ? scope : scopeOfUrl(from), origin);
      const { target } = key === undefined ? resolve() : resolved.get(key, resolve);
      return target !== undefined && onOwn !== undefined && dependsOnPage(address)
        ? watched(target, onOwn)
        : target;
    },
  };
}

/** A target of which somebody wants to know when it is asked for. Its kind is that of the page's own address: all pages share it. */
function watched(target: Target, onAsked: () => void): Target {
  const asked = <Value>(value: Value): Value => {
    onAsked();
    return value;
  };
  return target.kind === "site"
    ? {
        kind: target.kind,
        get path() {
          return asked(target.path);
        },
        get url() {
          return asked(target.url);
        },
      }
    : {
        kind: target.kind,
        get url() {
          return asked(target.url);
        },
      };
}

const urlOf = (origin: string | undefined, path: string): URL =>
  new URL(encodePath(path), origin ?? unknownOrigin);

/** HTML §2.4.3: data: and javascript: make no base. */
function basedOn(base: string, without: URL): URL {
  const based = URL.parse(base, without) ?? without;
  return based.protocol === "data:" || based.protocol === "javascript:" ? without : based;
}

interface Resolved {
  readonly target: Target | undefined;
}

/** Addresses remembered: the pages of a folder repeat each other's, and reading one takes a microsecond. */
const resolved = createRecent<Resolved>(2_048);
const maxRememberedLength = 200;

function resolveFrom(address: string, from: URL, origin: string | undefined): Resolved {
  const url = URL.parse(address, from);
  if (url === null) return { target: undefined };
  if (url.origin === ownOrigin(origin))
    return { target: { kind: "site", path: decodePath(url.pathname), url } };
  const kind = /^(?:https?|wss?):$/.test(url.protocol) ? "foreign" : "opaque";
  return { target: { kind, url } };
}

let lastOrigin = { written: unknownOrigin, origin: unknownOrigin };

function ownOrigin(origin: string | undefined): string {
  if (origin === undefined) return unknownOrigin;
  if (lastOrigin.written !== origin) lastOrigin = { written: origin, origin: new URL(origin).origin };
  return lastOrigin.origin;
}

/** What an address on a page can depend on, unless it is the page itself that it starts from. */
interface Scope {
  /** Scheme, and what stands before the path. */
  readonly root: string;
  /** The same, and the path up to its last solidus. */
  readonly folder: string;
}

const scopeOf = (root: string, path: string): Scope => ({
  root,
  folder: root + path.slice(0, path.lastIndexOf("/") + 1),
});

/** Undefined for an address that others are read in another way from: only HTTP's are alike. */
function scopeOfUrl({ href, protocol, pathname }: URL): Scope | undefined {
  if (protocol !== "https:" && protocol !== "http:") return undefined;
  return scopeOf(href.slice(0, href.indexOf("/", protocol.length + 2)), pathname);
}

/** Whether an address may be about the very page: nothing, what the URL parser strips, a query, a fragment, or `https:?query`. */
function dependsOnPage(address: string): boolean {
  const first = address.charCodeAt(0);
  if (!(first > 0x20) || first === 0x23 || first === 0x3f) return true;
  return !alwaysWhole.test(address) && mayStartFromPage.test(address);
}

/** Addresses that start from nowhere, as far as they are common. */
const alwaysWhole = /^(?:about|blob|data|javascript|mailto|tel):/;
/** A scheme and no host, or what the URL parser takes out before it looks for one. */
const mayStartFromPage = /^[a-z][a-z\d+.-]*:(?!\/\/)|[\t\n\r]/i;

/** What an address is remembered by; undefined if it is not: where it may start from the page itself, that is another on each page. */
function keyOf(address: string, scope: Scope | undefined, origin: string | undefined): string | undefined {
  if (scope === undefined || address.length > maxRememberedLength) return undefined;
  const first = address.charCodeAt(0);
  // Nothing, what the URL parser strips, a query or a fragment.
  if (!(first > 0x20) || first === 0x23 || first === 0x3f) return undefined;
  const colon = address.indexOf(":");
  // `https:?query` starts from a page of that scheme.
  if (colon !== -1 && !address.startsWith("//", colon + 1)) return undefined;
  const around = colon !== -1 || first === 0x2f ? scope.root : scope.folder;
  return `${origin ?? ""} ${around.length} ${around}${address}`;
}

/** Writes a decoded path as an address. */
export function encodePath(path: string): string {
  return /^[\w./~-]*$/.test(path) ? path : path.split("/").map(encodeURIComponent).join("/");
}

function decodePath(pathname: string): string {
  if (!pathname.includes("%")) return pathname;
  try {
    return decodeURIComponent(pathname);
  } catch {
    return pathname;
  }
}

/**
 * The source expression of an exact address: CSP has no place for a query, and reads `;` and `,` as its own (CSP 3 §2.3.1). A
 * plain HTTP address is upgraded before it is compared. Undefined if a policy has no words for its host.
 */
export function exactSource(url: URL): string | undefined {
  const origin = secureOrigin(url);
  if (origin === undefined) return undefined;
  return `${origin}${url.pathname.replaceAll(";", "%3B").replaceAll(",", "%2C")}`;
}

/**
 * The source expression of an origin. Undefined for a host that a policy would read as something else: URLs may have `*`, `;`, `,` and
 * quotes there (URL §3.5), sources may not (CSP 3 §2.3.1). `_` stands in real names, and a browser that does not know it reads nothing.
 */
export function secureOrigin(url: URL): string | undefined {
  const origin = `${url.protocol.replace(/^http:/, "https:").replace(/^ws:/, "wss:")}//${url.host}`;
  return /^(?:https|wss):\/\/[a-z0-9_-]+(?:\.[a-z0-9_-]+)*(?::\d{1,5})?$/.test(origin) ? origin : undefined;
}
