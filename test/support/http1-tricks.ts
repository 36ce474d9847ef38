import { everyone } from "curtainwall";
import { z } from "zod";
import { host } from "../../src/edge/node/test-edge.ts";

// Requests over HTTP/1.1 that two servers could read in two ways, byte by byte, and what has to become of each.

const base = {
  access: everyone,
  limit: "100000/s per client",
  response: z.object({ ok: z.boolean(), n: z.string().optional() }),
  to: "shop",
};
/** The API that they are sent to. */
export const routes = {
  "GET /api/read": { ...base, query: { n: z.string().max(8).optional() } },
  "POST /api/write": { ...base, body: z.object({ text: z.string().max(200) }) },
  "DELETE /api/read": { ...base },
};

const lines = (...all: string[]): string => all.join("\r\n");
const get = (n: string, ...headers: string[]): string =>
  lines(`GET /api/read?n=${n} HTTP/1.1`, `Host: ${host}`, ...headers, "", "");
const last = get("last", "Connection: close");
const post = (headers: string[], body: string): string =>
  lines("POST /api/write HTTP/1.1", `Host: ${host}`, "Content-Type: application/json", ...headers, "", body);
/** What an attacker hopes that somebody will take for the next request. */
const hidden = lines("DELETE /api/read HTTP/1.1", `Host: ${host}`, "", "");
const honest = '{"text":"a"}';
const chunked = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n0\r\n\r\n`;
const raw = (line: string, ...headers: string[]): string =>
  lines(line, ...(headers.length === 0 ? [`Host: ${host}`] : headers), "", "");

/** One request, or several, and what becomes of them. */
export interface Trick {
  name: string;
  /** As Latin-1. */
  sent: string;
  /** Statuses in the order in which they come back. */
  answers: number[];
  /** What the upstream saw. */
  upstream?: string[];
}

const passes = (name: string, sent: string, ...upstream: string[]): Trick => ({
  name,
  sent,
  answers: upstream.map(() => 200),
  upstream,
});
const refused = (name: string, sent: string, ...answers: number[]): Trick => ({ name, sent, answers });

const written = `POST /api/write ${honest}`;
const read = (n: string): string => `GET /api/read?n=${n} `;

const honestRequests: Trick[] = [
  passes(
    "two requests, one after the other",
    post([`Content-Length: ${honest.length}`], honest) + last,
    written,
    read("last"),
  ),
  passes(
    "a chunked body, then another request",
    post(["Transfer-Encoding: chunked"], chunked(honest)) + last,
    written,
    read("last"),
  ),
  passes(
    "spaces around a length",
    post([`Content-Length:  ${honest.length} `], honest) + last,
    written,
    read("last"),
  ),
  passes(
    "chunked in another case",
    post(["transfer-encoding: CHUNKED"], chunked(honest)) + last,
    written,
    read("last"),
  ),
  passes(
    "the absolute form",
    raw(`GET https://${host}/api/read?n=1 HTTP/1.1`, `Host: ${host}`) + last,
    read("1"),
    read("last"),
  ),
  passes(
    "an empty line before the request (RFC 9112 §2.2)",
    `\r\n${get("1")}${last}`,
    read("1"),
    read("last"),
  ),
  passes(
    "a short chunk extension",
    post(["Transfer-Encoding: chunked"], `c;a=b\r\n${honest}\r\n0\r\n\r\n`) + last,
    written,
    read("last"),
  ),
];

const length = [`Content-Length: ${honest.length}`];
const te = "Transfer-Encoding: chunked";

const old = (headers: string[]): string => post(headers, chunked(honest)).replace("HTTP/1.1", "HTTP/1.0");

const ambiguousLengths: Trick[] = [
  refused("a length and chunks", post([...length, te], chunked(honest)) + hidden, 400),
  refused("chunks and a length", post([te, ...length], chunked(honest)) + hidden, 400),
  refused(
    "a length of 4 and chunks, a request in the rest (CL.TE)",
    post(["Content-Length: 4", te], `1\r\nZ\r\n0\r\n\r\n${hidden}`),
    400,
  ),
  refused("two lengths that differ", post(["Content-Length: 2", ...length], honest) + hidden, 400),
  refused("two lengths that agree", post([...length, ...length], honest) + hidden, 400),
  refused(
    "a list of lengths",
    post([`Content-Length: ${honest.length}, ${honest.length}`], honest) + hidden,
    400,
  ),
  refused("a length with a sign", post([`Content-Length: +${honest.length}`], honest) + hidden, 400),
  refused("a negative length", post(["Content-Length: -1"], honest) + hidden, 400),
  refused("a hexadecimal length", post(["Content-Length: 0xc"], honest) + hidden, 400),
  refused("a length with a space inside", post(["Content-Length: 1 2"], honest) + hidden, 400),
  refused("a length with letters after it", post(["Content-Length: 12abc"], honest) + hidden, 400),
  refused("a length with a fraction", post(["Content-Length: 12.0"], honest) + hidden, 400),
  refused("an empty length", post(["Content-Length: "], honest) + hidden, 400),
  refused("a length beyond 64 bits", post(["Content-Length: 18446744073709551628"], honest) + hidden, 400),
  refused("a space before the colon", post([`Content-Length : ${honest.length}`], honest) + hidden, 400),
  refused("a tab before the colon", post([`Content-Length\t: ${honest.length}`], honest) + hidden, 400),
  refused(
    "a vertical tab before the value",
    post(["Transfer-Encoding:\u000bchunked"], chunked(honest)) + hidden,
    400,
  ),
  refused(
    "a space before the colon of chunks",
    post(["Transfer-Encoding : chunked"], chunked(honest)) + hidden,
    400,
  ),
  refused(
    "another coding than chunked",
    post(["Transfer-Encoding: xchunked"], chunked(honest)) + hidden,
    400,
  ),
  refused(
    "chunked that is not last",
    post(["Transfer-Encoding: chunked, identity"], chunked(honest)) + hidden,
    400,
  ),
  refused("chunked twice", post(["Transfer-Encoding: chunked, chunked"], chunked(honest)) + hidden, 400),
  refused("chunked twice, in two lines", post([te, te], chunked(honest)) + hidden, 400),
  refused(
    "a coding before chunked",
    post(["Transfer-Encoding: gzip, chunked"], chunked(honest)) + hidden,
    400,
  ),
  refused(
    "identity, then chunked in another line",
    post(["Transfer-Encoding: identity", te], chunked(honest)) + hidden,
    400,
  ),
  refused("identity alone", post(["Transfer-Encoding: identity"], honest) + hidden, 400),
  refused("chunked in quotes", post(['Transfer-Encoding: "chunked"'], chunked(honest)) + hidden, 400),
  refused(
    "chunked with a NUL after it",
    post(["Transfer-Encoding: chunked\0"], chunked(honest)) + hidden,
    400,
  ),
  refused(
    "chunked on the next line (obs-fold)",
    post(["Transfer-Encoding:", " chunked"], chunked(honest)) + hidden,
    400,
  ),
  ...[hidden, last].flatMap((rest) => [
    refused(`chunks under HTTP/1.0, then ${rest.slice(0, 3)}`, old([te]) + rest, 400),
    refused(
      `chunks under HTTP/1.0 that would go on, then ${rest.slice(0, 3)}`,
      old([te, "Connection: keep-alive"]) + rest,
      400,
    ),
    refused(
      `a coding before chunked and another expectation, then ${rest.slice(0, 3)}`,
      post(["Transfer-Encoding: gzip, chunked", "Expect: 200-ok"], chunked(honest)) + rest,
      417,
    ),
    refused(
      `a coding before chunked, then ${rest.slice(0, 3)}`,
      post(["Transfer-Encoding: gzip, chunked"], chunked(honest)) + rest,
      400,
    ),
  ]),
  refused("chunks under HTTP/1.0 that would go on, then nothing", old([te, "Connection: keep-alive"]), 400),
];

const brokenChunks: Trick[] = [
  ["a size with a sign", `+c\r\n${honest}\r\n0\r\n\r\n`],
  ["a size with 0x", `0xc\r\n${honest}\r\n0\r\n\r\n`],
  ["a size beyond 64 bits", `1000000000000000c\r\n${honest}\r\n0\r\n\r\n`],
  ["a space before the size", ` c\r\n${honest}\r\n0\r\n\r\n`],
  ["a space after the size", `c \r\n${honest}\r\n0\r\n\r\n`],
  ["more than the size says", `b\r\n${honest}\r\n0\r\n\r\n`],
  ["a bare LF after the size", `c\n${honest}\r\n0\r\n\r\n`],
  ["a bare LF after the data", `c\r\n${honest}\n0\r\n\r\n`],
  ["a bare LF in an extension", `c;a=b\n${honest}\r\n0\r\n\r\n`],
  ["a bare CR in an extension", `c;a\rb\r\n${honest}\r\n0\r\n\r\n`],
  ["a NUL in an extension", `c;a=\0\r\n${honest}\r\n0\r\n\r\n`],
].map(([name, body]) => refused(`chunks: ${name}`, post([te], body as string) + hidden, 400));

const strangeLines: Trick[] = [
  refused("a bare LF after the request line", `GET /api/read HTTP/1.1\nHost: ${host}\r\n\r\n`, 400),
  refused("a bare LF after a header", `GET /api/read HTTP/1.1\r\nHost: ${host}\nX-A: b\r\n\r\n`, 400),
  refused("bare LFs all along", `GET /api/read HTTP/1.1\nHost: ${host}\n\n`, 400),
  refused("a bare CR in a value", get("1", "X-A: b\rX-B: c"), 400),
  refused("a bare CR at the end of the headers", `GET /api/read HTTP/1.1\r\nHost: ${host}\r\n\rGET`, 400),
  refused("a folded value (RFC 9112 §5.2)", get("1", "X-A: b", "\tc"), 400),
  refused("a folded first line", `GET /api/read HTTP/1.1\r\n Host: ${host}\r\n\r\n`, 400),
  refused("a NUL in a value", get("1", "X-A: b\0c"), 400),
  refused("a NUL in a name", get("1", "X-\0A: b"), 400),
  refused("a control character in a value", get("1", "X-A: b\u0001"), 400),
  refused("a space in a name", get("1", "X A: b"), 400),
  refused("no name", get("1", ": b"), 400),
  refused("no colon", get("1", "X-A"), 400),
  refused("a name that is not ASCII", get("1", "X-\u00c4: b"), 400),
  refused("a space before the method", ` ${get("1")}`, 400),
  refused("a tab between method and target", raw("GET\t/api/read HTTP/1.1"), 400),
  refused("a NUL in the target", raw("GET /api/read\0 HTTP/1.1"), 400),
  refused("a space in the target", raw("GET /api/read x HTTP/1.1"), 400),
  refused("a target without a slash", raw("GET api/read HTTP/1.1"), 400),
  refused("bytes beyond ASCII in the target", raw("GET /api/r\u00e9ad HTTP/1.1"), 400),
  refused("bytes beyond ASCII in the query", raw("GET /api/read?n=\u00e9 HTTP/1.1"), 400),
  refused("no target", raw("GET HTTP/1.1"), 400),
  refused("no version (HTTP/0.9)", "GET /api/read\r\n\r\n", 400),
  refused("a version to come", raw("GET /api/read HTTP/1.2"), 400),
  refused("HTTP/2.0 in words", raw("GET /api/read HTTP/2.0"), 400),
  refused("a version in another case", raw("GET /api/read http/1.1"), 400),
  refused("HTTP/2's preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
  refused("a method in lower case", raw("get /api/read HTTP/1.1"), 400),
  refused("a method of one's own", raw("BREW /api/read HTTP/1.1"), 400),
  refused("TLS inside TLS", "\u0016\u0003\u0001\u0002\u0000\u0001\u0000", 400),
];

const hosts: Trick[] = [
  refused(
    "two hosts that agree",
    raw("GET /api/read HTTP/1.1", `Host: ${host}`, `Host: ${host}`) + last,
    400,
    200,
  ),
  refused(
    "two hosts that differ",
    raw("GET /api/read HTTP/1.1", `Host: ${host}`, "host: evil.test") + last,
    400,
    200,
  ),
  refused("no host", raw("GET /api/read HTTP/1.1", "X-A: b") + last, 400, 200),
  refused("an empty host", raw("GET /api/read HTTP/1.1", "Host: ") + last, 421, 200),
  refused("another host", raw("GET /api/read HTTP/1.1", "Host: evil.test") + last, 421, 200),
  refused(
    "this host with somebody before it",
    raw("GET /api/read HTTP/1.1", `Host: evil@${host}`) + last,
    421,
    200,
  ),
  refused(
    "this host with a path after it",
    raw("GET /api/read HTTP/1.1", `Host: ${host}/x`) + last,
    421,
    200,
  ),
  refused("a list of hosts", raw("GET /api/read HTTP/1.1", `Host: ${host}, evil.test`) + last, 421, 200),
  refused(
    "the absolute form of another host",
    raw("GET https://evil.test/api/read HTTP/1.1") + last,
    421,
    200,
  ),
  refused(
    "the absolute form with somebody before the host",
    raw(`GET https://evil@${host}/api/read HTTP/1.1`) + last,
    421,
    200,
  ),
  refused("the absolute form without TLS", raw(`GET http://${host}/api/read HTTP/1.1`) + last, 400, 200),
  refused(
    "the absolute form of this host under another Host",
    raw(`GET https://${host}/api/read HTTP/1.1`, "Host: evil.test") + last,
    421,
    200,
  ),
].map((trick) => ({ ...trick, upstream: [read("last")] }));

const targets: Trick[] = (
  [
    ["an asterisk", "*", 400],
    ["two slashes", "//api/read", 400],
    ["a path to another host", `//evil.test/api/read`, 400],
    ["a step up", "/api/../api/read", 400],
    ["a step up, escaped", "/api/%2e%2e/read", 400],
    ["an escaped slash", "/api%2fread", 400],
    ["a backslash", "/api\\read", 400],
    ["an escaped backslash", "/api/%5cread", 400],
    ["an escaped end of line", "/api/read%0d%0aX-A:%20b", 400],
    ["an escaped NUL", "/api/read%00", 400],
    ["half an escape", "/api/read%2", 400],
    ["an escaped escape", "/api/re%2561d", 400],
    ["a fragment", "/api/read#x", 404],
    ["a fragment after a query", "/api/read?n=1#x", 400],
    ["a semicolon", "/api/read;x=1", 404],
    ["a dot at the end", "/api/read.", 404],
    ["a slash at the end", "/api/read/", 404],
    ["a key twice", "/api/read?n=1&n=2", 400],
    ["a key twice, once escaped", "/api/read?n=1&%6e=2", 400],
    ["a key that is not declared", "/api/read?m=1", 400],
    ["more than 4096 characters", `/api/read?n=${"a".repeat(4096)}`, 414],
  ] as const
).map(([name, target, status]) => ({
  name: `a target of ${name}`,
  sent: raw(`GET ${target} HTTP/1.1`) + last,
  answers: [status, 200],
  upstream: [read("last")],
}));

const betweenHops: Trick[] = [
  passes(
    "Connection names the length",
    post([...length, "Connection: content-length"], honest) + last,
    written,
    read("last"),
  ),
  passes(
    "Connection names the host",
    get("1", "Connection: host, authorization") + last,
    read("1"),
    read("last"),
  ),
  passes(
    "trailers after chunks are nobody's headers",
    post([te, "Trailer: X-User"], `c\r\n${honest}\r\n0\r\nX-User: admin\r\n\r\n`) + last,
    written,
    read("last"),
  ),
  refused(
    "a length among the trailers",
    post([te], `c\r\n${honest}\r\n0\r\nContent-Length: 99\r\n\r\n`) + hidden,
    400,
  ),
  refused(
    "another coding among the trailers",
    post([te], `c\r\n${honest}\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n`) + hidden,
    400,
  ),
  passes(
    "a method to override with",
    get("1", "X-HTTP-Method-Override: DELETE", "X-Method-Override: DELETE", "X-HTTP-Method: DELETE") + last,
    read("1"),
    read("last"),
  ),
  passes(
    "another address to rewrite to",
    get("1", "X-Original-URL: /admin", "X-Rewrite-URL: /admin") + last,
    read("1"),
    read("last"),
  ),
  passes(
    "names that some servers take for others",
    get("1", "Content_Length: 5", "Transfer_Encoding: chunked", "X_Forwarded_User: admin") + last,
    read("1"),
    read("last"),
  ),
  passes(
    "somebody else's identity",
    get(
      "1",
      "X-Forwarded-User: admin",
      "Curtainwall-Assertion: forged",
      "Request-Id: forged",
      "Authorization: Bearer x",
    ) + last,
    read("1"),
    read("last"),
  ),
  passes(
    "an upgrade to h2c is answered as it is, and what follows is not read",
    get(
      "1",
      "Connection: Upgrade, HTTP2-Settings",
      "Upgrade: h2c",
      "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA",
    ) + hidden,
    read("1"),
  ),
  passes(
    "an upgrade to WebSocket is answered as it is, and what follows is not read",
    get("1", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==") +
      hidden,
    read("1"),
  ),
  refused("CONNECT", raw(`CONNECT ${host}:443 HTTP/1.1`) + hidden, 405),
  refused("another expectation", post([...length, "Expect: 200-ok"], honest) + last, 417, 200),
  refused("a GET with a body", get("1", "Content-Length: 5") + `hello${last}`, 400, 200),
  refused("a GET with chunks", get("1", te) + `5\r\nhello\r\n0\r\n\r\n${last}`, 400, 200),
  refused("TRACE", raw("TRACE /api/read HTTP/1.1") + last, 405, 200),
  refused(
    "more headers than are read",
    get("1", ...Array.from({ length: 101 }, (_, index) => `x${index}: y`)) + last,
    431,
    200,
  ),
  refused("larger headers than are read", get("1", `X-A: ${"a".repeat(20_000)}`) + hidden, 431),
].map((trick) =>
  trick.upstream === undefined && trick.answers[1] === 200 ? { ...trick, upstream: [read("last")] } : trick,
);

/** All of them, by what they play with. */
export const groups: Record<string, Trick[]> = {
  honestRequests,
  ambiguousLengths,
  brokenChunks,
  strangeLines,
  hosts,
  targets,
  betweenHops,
};
