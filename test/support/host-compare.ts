import type { ClientHttp2Session } from "node:http2";
import type { Release } from "../../src/contract/index.ts";
import { ask, askHttp2, hostname } from "./host-servers.ts";
import type { Door, HostAnswer, HostRequest } from "./host-servers.ts";

/** Writes a decoded path as a browser sends it. */
export function targetOf(path: string): string {
  return new URL(`https://${hostname}${encodeURI(path).replaceAll("?", "%3F").replaceAll("#", "%23")}`)
    .pathname;
}

/** What differs between two answers, as `+name`, `-name` and `~name` of headers, `status` and `body`. */
export function differences(expected: HostAnswer, actual: HostAnswer): string[] {
  if (expected.status !== actual.status) return [`status ${expected.status} is ${actual.status}`];
  const [left, right] = [byName(expected), byName(actual)];
  const headers = [...new Set([...left.keys(), ...right.keys()])].sort().flatMap((name) => {
    // The time of day, the protocol's own, what follows from the body, which is compared itself, and whether a server sends parts.
    if (
      ["accept-ranges", "connection", "content-length", "date", "keep-alive", "transfer-encoding"].includes(
        name,
      )
    )
      return [];
    if (!left.has(name)) return [`+${name}`];
    if (!right.has(name)) return [`-${name}`];
    return left.get(name) === right.get(name) ? [] : [`~${name}`];
  });
  return [...headers, ...(expected.body.equals(actual.body) ? [] : ["body"])].map(
    (what) => `${expected.status} ${what}`,
  );
}

/** Lines of one name joined visibly, so that a repeated header is a difference. */
function byName({ headers }: HostAnswer): Map<string, string> {
  const found = new Map<string, string>();
  for (const [name, value] of headers)
    found.set(name, found.has(name) ? `${found.get(name)} ‖ ${value}` : value);
  return found;
}

/** Differences by kind, with the first request that shows each. */
export type Found = Map<string, string>;

/** The requests that every page is compared with. */
export function pageRequests(release: Release): HostRequest[] {
  return release.manifest.files.flatMap(({ path }) => {
    const target = targetOf(path);
    return [
      { path: target },
      { path: target, headers: { "accept-encoding": "br" } },
      { path: target, headers: { "accept-encoding": "gzip, deflate;q=0.5, br;q=0" } },
      {
        path: `${target}?query=1`,
        method: "HEAD",
        headers: { "accept-encoding": "gzip, deflate, br, zstd" },
      },
    ];
  });
}

/** Asks two servers the same over HTTP/1.1, and collects what differs. */
export async function compare(edge: Door, host: Door, requests: readonly HostRequest[]): Promise<Found> {
  return collect(requests, (request) => Promise.all([ask(edge, request), ask(host, request)]));
}

/** The same over HTTP/2. */
export async function compareHttp2(
  edge: ClientHttp2Session,
  host: ClientHttp2Session,
  requests: readonly HostRequest[],
): Promise<Found> {
  return collect(requests, (request) => Promise.all([askHttp2(edge, request), askHttp2(host, request)]));
}

async function collect(
  requests: readonly HostRequest[],
  both: (request: HostRequest) => Promise<[HostAnswer, HostAnswer]>,
): Promise<Found> {
  const found: Found = new Map();
  for (const request of requests) {
    const [expected, actual] = await both(request);
    for (const what of differences(expected, actual))
      if (!found.has(what)) found.set(what, `${request.method ?? "GET"} ${request.path}`);
  }
  return found;
}

/** Asks each server for a page, then again with the tag that it gave, in every form that a client may write it in. */
export async function compareRevalidation(edge: Door, host: Door, path: string): Promise<string[]> {
  const found: string[] = [];
  const accept = { "accept-encoding": "br" };
  for (const write of revalidations) {
    const answers = await Promise.all(
      [edge, host].map(async (door) => {
        const first = await ask(door, { path, headers: accept });
        const tag = first.headers.find(([name]) => name === "etag")?.[1] ?? "";
        return ask(door, { path, headers: { ...accept, "if-none-match": write(tag) } });
      }),
    );
    const [expected, actual] = answers as [HostAnswer, HostAnswer];
    found.push(...differences(expected, actual).map((what) => `${write("tag")}: ${what}`));
  }
  return found;
}

const revalidations: readonly ((tag: string) => string)[] = [
  (tag) => tag,
  (tag) => `W/${tag}`,
  (tag) => `"other", W/"more",${tag}`,
  (tag) => `${tag}, "other"`,
  () => "*",
  () => '"other"',
  (tag) => tag.slice(0, -2),
  () => '"a" "',
];

/** Requests that lead to no page. */
export function refusedRequests(release: Release): HostRequest[] {
  const digest = release.manifest.files[0]?.variants[0]?.sha256;
  return [
    { path: "/nothing" },
    { path: "/nothing", headers: { "accept-encoding": "br" } },
    { path: "/nothing", method: "HEAD", headers: { "accept-encoding": "gzip" } },
    { path: "/nothing", method: "POST" },
    { path: "/index.html" },
    { path: "/about/index.html" },
    { path: "/gone" },
    { path: "/ABOUT/" },
    { path: "/About" },
    { path: "/cAsE.txt" },
    { path: "/case.txt%20" },
    { path: "/about/%20/about/" },
    { path: "/nginx/http.conf" },
    { path: `/${digest}` },
    { path: `/blobs/${digest}` },
    { path: "/about" },
    { path: "/about/team?a=1&b=$uri" },
    { path: "/about", method: "HEAD" },
    { path: "/", method: "POST" },
    { path: "/about", method: "POST" },
    { path: "/", method: "DELETE" },
    { path: "/", method: "OPTIONS" },
    { path: "/", headers: { host: "other.test" } },
  ];
}

/** Targets that no browser sends. */
export const oddTargets: readonly string[] = [
  "/%zz",
  "/%00",
  "/..%2f..%2fetc/passwd",
  "/a//b",
  "//about/",
  "/about/../about/",
  "/%ff",
  "/about%2F",
  "/./about/",
  `/${"x".repeat(9000)}`,
];
