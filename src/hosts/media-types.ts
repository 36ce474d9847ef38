import type { Header } from "../contract/index.ts";

/** What hosts take a file for by its name's ending, where they all agree: of scripts they think differently. */
const byEnding: Readonly<Record<string, string>> = {
  html: "text/html",
  htm: "text/html",
  css: "text/css",
  json: "application/json",
  svg: "image/svg+xml",
  png: "image/png",
  jpg: "image/jpeg",
  jpeg: "image/jpeg",
  gif: "image/gif",
  webp: "image/webp",
  avif: "image/avif",
  txt: "text/plain",
  woff2: "font/woff2",
  woff: "font/woff",
  pdf: "application/pdf",
  wasm: "application/wasm",
  mp4: "video/mp4",
  webm: "video/webm",
};

/**
 * The headers that a host must be told. Content-Type is left to it where the ending says the same, and so is a Vary that only
 * tells about compression, which is the host's.
 */
export function headersToTell(path: string, headers: readonly Header[]): Header[] {
  return headers.filter(([name, value]) => {
    if (name === "vary") return value.toLowerCase() !== "accept-encoding";
    return name !== "content-type" || !isByEnding(path, value);
  });
}

/** Hosts name the charset of text, and of nothing else. */
function isByEnding(path: string, value: string): boolean {
  const ending = path.endsWith("/") ? "html" : (/\.([a-z0-9]+)$/.exec(path)?.[1] ?? "");
  const expected = Object.hasOwn(byEnding, ending) ? byEnding[ending] : undefined;
  return value === (expected?.startsWith("text/") === true ? `${expected}; charset=utf-8` : expected);
}
