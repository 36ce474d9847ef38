import { brotliCompressSync, gzipSync } from "node:zlib";
import { decodeRelease, encodeRelease, securityHeaders } from "../../src/contract/index.ts";
import type { Header, Release, ReleaseInput } from "../../src/contract/index.ts";

/** A site whose names and headers mean something to the file formats of hosts. */

/** Paths that the edge serves, and that a careless emitter would not. */
export const hostilePaths: readonly string[] = [
  "/a b/é.txt",
  "/ leading",
  "/a /a",
  "/semi;colon{brace}.txt",
  "/quo\"te's.txt",
  "/$uri/$host.txt",
  "/${cw_dollar}.txt",
  "/{$HOME}.txt",
  "/{http.request.host}.txt",
  "/#hash.txt",
  "/~tilde",
  "/~^.*$",
  "/%2e%2e.txt",
  "/100%.txt",
  "/what?.txt",
  "/star*.txt",
  "/:splat/:name.txt",
  "/[id].txt",
  "/(group)|pipe.txt",
  "/a+b&c=d,e@f!.txt",
  "/日本語.txt",
  "/e\u0301.txt",
  "/\u00e9.txt",
  "/default",
  "/include",
  "/CASE.txt",
  "/case.txt",
  "/Case.TXT",
  "/Folder/",
  "/only-UPPER.txt",
  "/.well-known/security.txt",
  "/file.br",
  "/file.gz",
  "/trailing.",
  "/no-extension",
  `/${"long".repeat(60)}.txt`,
];

/** Header values that are syntax somewhere. */
const hostileValues: readonly string[] = [
  '{"group":"csp","max_age":10,"endpoints":[{"url":"https://site.test/$uri"}]}',
  "$host ${uri} $1 $cw_dollar ${cw_dollar}",
  "{env.HOME} {$HOME} {http.request.host} {file} \\{x\\}",
  "a\"b'c`d\\e;f#g",
  '\\" trailing\\',
  ":splat :name *",
  "} location / { return 200; } #",
  "~^.*$",
  "%{x} %s <% %> [[ ]]",
];

const html = (policy: string): Header[] => [
  ["content-type", "text/html; charset=utf-8"],
  ["cache-control", "no-cache"],
  ...securityHeaders(policy),
];

const page = (title: string): string =>
  `<!doctype html><html lang="en"><title>${title}</title><p>${`${title} is a page. `.repeat(80)}`;

/** A policy of that many script hashes. */
const longPolicy = (hashes: number): string =>
  `default-src 'none'; script-src ${Array.from(
    { length: hashes },
    (_, at) => `'sha256-${Buffer.alloc(32, at % 256).toString("base64")}'`,
  ).join(" ")}`;

function compressed(text: string): ReleaseInput["bytes"] {
  const identity = Buffer.from(text);
  return { identity, br: brotliCompressSync(identity), gzip: gzipSync(identity) };
}

/** Builds the site. `maxPolicyHashes` bounds the longest policy, for hosts that bound it. */
export async function hostileRelease({ policyHashes = 400 } = {}): Promise<Release> {
  const inputs: ReleaseInput[] = [
    { path: "/", headers: html("default-src 'none'; img-src 'self'"), bytes: compressed(page("Home")) },
    { path: "/about/", headers: html("default-src 'none'"), bytes: compressed(page("About")) },
    { path: "/about/team/", headers: html("default-src 'self'"), bytes: { identity: Buffer.from("team") } },
    { path: "/gone/", headers: html("default-src 'none'"), bytes: compressed(page("Not found")) },
    { path: "/long/", headers: html(longPolicy(policyHashes)), bytes: compressed(page("Long")) },
    {
      path: "/site.css",
      headers: [
        ["content-type", "text/css; charset=utf-8"],
        ["cache-control", "public, max-age=31536000, immutable"],
        ["vary", "origin"],
      ],
      bytes: compressed("p{color:#123}".repeat(100)),
    },
    { path: "/empty", headers: [["content-type", "text/plain"]], bytes: { identity: new Uint8Array(0) } },
    { path: "/untyped.html", headers: [["content-language", "cy"]], bytes: { identity: Buffer.from("x") } },
    ...hostilePaths.map((path, at): ReleaseInput => {
      const headers: Header[] = [["content-type", "text/plain; charset=utf-8"]];
      const value = hostileValues[at];
      if (value !== undefined) headers.push(["x-hostile", value]);
      return { path, headers, bytes: { identity: Buffer.from(`the file at ${path}`) } };
    }),
  ];
  return decodeRelease(await encodeRelease(inputs, { notFound: "/gone/" }));
}

/** A site whose folders have 404 pages of their own. */
export function foldersRelease({ plainNames = false } = {}): Promise<Release> {
  const folder = plainNames ? "/odd" : "/{$x} +(y)";
  const answer = (path: string, text: string, policy: string): ReleaseInput => ({
    path,
    headers: [
      ["content-type", "text/html; charset=utf-8"],
      ["content-security-policy", policy],
      ["cache-control", "no-cache"],
    ],
    bytes: { identity: Buffer.from(text.padEnd(400)), br: brotliCompressSync(Buffer.from(text.padEnd(400))) },
  });
  return encodeRelease(
    [
      answer("/", "home", "default-src 'none'"),
      answer("/404.html", "root", "default-src 'self'"),
      answer("/de/", "start", "default-src 'none'"),
      answer("/de/404.html", "de", "img-src 'self'"),
      answer("/de/at/404.html", "de at", "font-src 'self'"),
      answer(`${folder}/404.html`, "odd", "media-src 'self'"),
    ],
    { notFound: "/404.html" },
  ).then(decodeRelease);
}

/** What is not there, in some of its folders. */
export const missingPaths = [
  "/no",
  "/de/no",
  "/de/no/no/no/",
  "/de/at/no?query",
  "/DE/no",
  "/%7B$x%7D%20+(y)/no",
  "/de/at",
];
