/** What a file is to hardening. */
export type FileClass = "html" | "xhtml" | "svg" | "script" | "pdf" | "media" | "other";

/** How a file is published. */
export interface Classified {
  readonly kind: FileClass;
  /** Without a charset. */
  readonly type: string;
  /** Text, whose charset has to be told. */
  readonly text: boolean;
}

const entry = (kind: FileClass, type: string, text: boolean): Classified => ({ kind, type, text });
const binary = (type: string): Classified => entry("other", type, false);
const text = (type: string): Classified => entry("other", type, true);
const media = (type: string): Classified => entry("media", type, false);

const byExtension: ReadonlyMap<string, Classified> = new Map([
  ["html", entry("html", "text/html", true)],
  ["htm", entry("html", "text/html", true)],
  ["shtml", entry("html", "text/html", true)],
  ["xhtml", entry("xhtml", "application/xhtml+xml", true)],
  ["xht", entry("xhtml", "application/xhtml+xml", true)],
  ["svg", entry("svg", "image/svg+xml", true)],
  ["js", entry("script", "text/javascript", true)],
  ["mjs", entry("script", "text/javascript", true)],
  ["cjs", entry("script", "text/javascript", true)],
  ["pdf", entry("pdf", "application/pdf", false)],
  ["css", text("text/css")],
  ["json", text("application/json")],
  ["map", text("application/json")],
  ["jsonld", text("application/ld+json")],
  ["webmanifest", text("application/manifest+json")],
  ["txt", text("text/plain")],
  ["md", text("text/markdown")],
  ["csv", text("text/csv")],
  ["vtt", text("text/vtt")],
  ["ics", text("text/calendar")],
  ["xml", text("application/xml")],
  ["xsl", text("application/xslt+xml")],
  ["rss", text("application/rss+xml")],
  ["atom", text("application/atom+xml")],
  ["wasm", binary("application/wasm")],
  ["png", binary("image/png")],
  ["jpg", binary("image/jpeg")],
  ["jpeg", binary("image/jpeg")],
  ["webp", binary("image/webp")],
  ["avif", binary("image/avif")],
  ["gif", binary("image/gif")],
  ["bmp", binary("image/bmp")],
  ["ico", binary("image/x-icon")],
  ["woff2", binary("font/woff2")],
  ["woff", binary("font/woff")],
  ["ttf", binary("font/ttf")],
  ["otf", binary("font/otf")],
  ["eot", binary("application/vnd.ms-fontobject")],
  ["zip", binary("application/zip")],
  ["gz", binary("application/gzip")],
  ["tar", binary("application/x-tar")],
  ["epub", binary("application/epub+zip")],
  ["mp4", media("video/mp4")],
  ["webm", media("video/webm")],
  ["ogv", media("video/ogg")],
  ["mp3", media("audio/mpeg")],
  ["ogg", media("audio/ogg")],
  ["oga", media("audio/ogg")],
  ["wav", media("audio/wav")],
  ["flac", media("audio/flac")],
  ["m4a", media("audio/mp4")],
]);

/** `fr`, `pt-br`, `zh_Hans`: what servers that choose by language append to a page's name. */
const language = /^[a-z]{2,3}(?:[-_][a-z0-9]{2,8})*$/i;
const unknown = binary("application/octet-stream");

/** Tells what a file is by its name alone: what the server that it is made for would say. */
export function classify(path: string): Classified {
  const parts = path
    .slice(path.lastIndexOf("/") + 1)
    .toLowerCase()
    .split(".");
  const last = parts.at(-1) ?? "";
  const known = parts.length > 1 ? byExtension.get(last) : undefined;
  if (known !== undefined) return known;
  const before = parts.length > 2 && language.test(last) ? byExtension.get(parts.at(-2) ?? "") : undefined;
  return before?.kind === "html" || before?.kind === "xhtml" ? before : unknown;
}

/**
 * Tells whether a file's name holds a hash of its bytes, so that browsers may keep it for good: a part of eight characters and more
 * that mixes letters and digits, in the name of a file that bundlers name so.
 */
export function isNamedByHash(path: string): boolean {
  const name = path.slice(path.lastIndexOf("/") + 1);
  if (!/\.(?:m?js|css|woff2?|png|jpe?g|webp|avif|gif|svg)$/i.test(name)) return false;
  return name
    .split(".")
    .slice(0, -1)
    .flatMap((part) => [part, part.slice(part.search(/[-_][A-Za-z0-9_-]{8,}$/) + 1)])
    .some((part) => /^[A-Za-z0-9_-]{8,64}$/.test(part) && /\d/.test(part) && isMixed(part));
}

/** Hexadecimal, or as irregular as base64: words, dates and version numbers are neither. */
function isMixed(part: string): boolean {
  if (/^[0-9a-f]+$/.test(part)) return /[a-f]/.test(part);
  return /[a-z]/.test(part) && /[A-Z]/.test(part) && !part.includes("-");
}
