import type { Echoes } from "./redactor.ts";

/** What a caller is not told: a session that the service opened for us, what belongs to one connection, and what only egress says. */
const kept = new Set([
  "alt-svc",
  "authentication-info",
  "authorization",
  "clear-site-data",
  "connection",
  "content-length",
  "keep-alive",
  "nel",
  "proxy-authenticate",
  "proxy-authentication-info",
  "proxy-connection",
  "report-to",
  "reporting-endpoints",
  "set-cookie",
  "set-cookie2",
  "strict-transport-security",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** Headers of an answer that a caller may see, by turns name and value. `Content-Length` is the reader's business: a body may shrink. */
export function answerHeaders(
  headers: Readonly<Record<string, string | readonly string[] | undefined>>,
  echoes: Echoes | undefined,
): string[] {
  const named = new Set(connectionNames(headers.connection));
  return Object.entries(headers).flatMap(([given, values]) => {
    const name = given.toLowerCase();
    if (values === undefined || kept.has(name) || named.has(name) || name.startsWith("x-curtainwall-"))
      return [];
    // An echo as a name: there is no name to put in its place.
    if (echoes?.hasFolded(name) === true) return [];
    // Repeated headers must not grow into a list of lists.
    return [values].flat().flatMap((value) => [name, inLatin1(echoes?.cleanse(value) ?? value)]);
  });
}

/** Headers travel as bytes, which the reader took for UTF-8 and the writer takes for Latin-1. */
function inLatin1(value: string): string {
  if (!/[^\u0000-\u00ff]/.test(value)) return value;
  return Array.from(encoder.encode(value), (byte) => String.fromCharCode(byte)).join("");
}

const encoder = new TextEncoder();

function connectionNames(value: string | readonly string[] | undefined): string[] {
  return [value ?? []].flat().flatMap((text) => text.split(",").map((name) => name.trim().toLowerCase()));
}
