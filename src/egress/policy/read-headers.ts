import type { EgressRefusal } from "../errors.ts";
import { functionHeader, routeHeader } from "../headers.ts";
import { foldHeader } from "./fold-names.ts";

/** Headers by name, lower-case. */
export type Headers = Map<string, string>;

/** Which of two counts is something that servers disagree on. */
const single = new Set([
  "host",
  "content-length",
  "content-type",
  "transfer-encoding",
  "authorization",
  "expect",
  functionHeader,
  routeHeader,
]);

/** A caller's own credentials, what belongs to one connection, and what only egress says. */
const kept = new Set([
  "accept-encoding",
  "authorization",
  "connection",
  "content-length",
  "cookie",
  "cookie2",
  "expect",
  "host",
  "http2-settings",
  "keep-alive",
  "max-forwards",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "via",
]);

/**
 * Words of names that some server or proxy takes for another address, method or client than the policy was asked about. They make up such names in
 * ever new orders, so that no list of whole names has them all.
 */
const misleading = new Set([
  "forwarded",
  "override",
  "overwrite",
  "rewrite",
  "original",
  "originating",
  "connecting",
  "proxyuser",
  "remote",
  "addr",
  "ip",
  "ipv4",
  "ipv6",
  "clientip",
  "socketip",
]);
/** The same, but only of names that begin with "x": `Dropbox-API-Path-Root` means no other address. */
const misleadingAfterX = new Set([
  "host",
  "method",
  "path",
  "uri",
  "url",
  "destinationurl",
  "unencoded",
  "scheme",
  "proto",
  "port",
]);
/** Whole names of that kind. */
const misleadingNames = new Set(["base-url", "destination", "request-uri"]);
/** What proxies and frameworks tell each other, and take for told by each other. */
const insiders = /^x-(?:accel|appengine|arr|envoy|invoke|middleware|sendfile|waws)-/;
/** Stores of objects take what lies there for the body: another address, which nobody was asked about. */
const otherSource =
  /^x-(?:(?:[a-z]+-)+(?:copy|rename)-source|copy-from|object-manifest|symlink-target)(?:-|$)/;

function leadsAstray(dashed: string): boolean {
  const words = dashed.split("-");
  return (
    misleadingNames.has(dashed) ||
    words.some((word) => misleading.has(word)) ||
    (words[0] === "x" && words.some((word) => misleadingAfterX.has(word))) ||
    insiders.test(dashed) ||
    otherSource.test(dashed)
  );
}

/** Whether a caller's header goes no further, however its name is written. */
function staysHere(name: string): boolean {
  const dashed = foldHeader(name);
  return (
    kept.has(dashed) ||
    leadsAstray(dashed) ||
    dashed.startsWith("x-curtainwall-") ||
    dashed.startsWith("proxy-") ||
    dashed.startsWith("sec-")
  );
}

const maxHeaders = 100;
const maxBytes = 16_384;

/**
 * Reads a request's headers as they came, name and value by turns, and keeps what may go out.
 *
 * @param authority the target's host and port, which `Host` must be, if there is one
 */
export function readHeaders(raw: readonly string[], authority: string): Headers | EgressRefusal {
  const headers: Headers = new Map();
  const seen = new Set<string>();
  let bytes = 0;
  if (raw.length > 2 * maxHeaders) return refused("it has more than 100 headers");
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = (raw[index] as string).toLowerCase();
    const value = raw[index + 1] as string;
    bytes += name.length + value.length + 4;
    if (single.has(name) && seen.has(name)) return refused(`it has ${name} twice`);
    seen.add(name);
    if (name === "host" && value !== authority) return refused("its host is not that of its target");
    if (!staysHere(name)) headers.set(name, joined(headers.get(name), value));
  }
  if (bytes > maxBytes) return refused("its headers are larger than 16384 bytes");
  if (seen.has("transfer-encoding") && seen.has("content-length"))
    return refused("it says twice how long its body is");
  for (const name of connectionNames(raw)) headers.delete(name);
  return headers;
}

const refused = (reason: string): EgressRefusal => ({ code: "EGRESS_HEADERS_REFUSED", reason });

const joined = (before: string | undefined, value: string): string =>
  before === undefined ? value : `${before}, ${value}`;

/** What `Connection` names belongs to the connection (RFC 9110 §7.6.1). */
function connectionNames(raw: readonly string[]): string[] {
  return raw.flatMap((name, index) =>
    index % 2 === 0 && name.toLowerCase() === "connection"
      ? (raw[index + 1] as string).split(",").map((text) => text.trim().toLowerCase())
      : [],
  );
}
