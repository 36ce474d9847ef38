import { completeHeaders, inertPolicy, notFoundPages, securityHeaders } from "../contract/index.ts";
import type { Header } from "../contract/index.ts";
import { assertHeaders, assertPath, assertRedirect, assertSha256 } from "./checks.ts";
import { hostsError, shown } from "./errors.ts";
import type { DeclaredFile, DeclaredRedirect, DeclaredSite } from "./site.ts";

/** A file with every header that its 200 carries. */
export interface AnsweredFile extends DeclaredFile {
  readonly headers: readonly Header[];
}

/** A folder's own 404 page. */
export interface MissingPage {
  /** `/de/` */
  readonly folder: string;
  /** With the headers of a 404. */
  readonly page: AnsweredFile;
}

/** A site as any host should answer for it: the edge's rules, host-independent. */
export interface Answers {
  readonly hostname: string;
  /** The origin's: 443, if it names none. */
  readonly port: number;
  readonly origin: string;
  /** By path, sorted. */
  readonly files: readonly AnsweredFile[];
  /** The 404 page, with the headers of a 404. */
  readonly missing: AnsweredFile | undefined;
  /** Those of folders, like `/de/404.html`, the longest folder first. */
  readonly missingBelow: readonly MissingPage[];
  /** Declared redirects, and each folder's address without its slash. */
  readonly moves: readonly DeclaredRedirect[];
  /** Of redirects. */
  readonly moveHeaders: readonly Header[];
  /** Of the host's own errors, and of 404 when the site has no page for it. */
  readonly refusalHeaders: readonly Header[];
}

/**
 * Checks a site and completes it as the edge does: security headers that a file doesn't bring, Vary where there is a choice,
 * `/about` to `/about/`, and the headers of what is no file.
 */
export function answersOf(site: DeclaredSite): Answers {
  const { hostname, port, origin } = parseOrigin(site.origin);
  const byPath = new Map<string, AnsweredFile>();
  for (const file of site.files) {
    if (byPath.has(file.path)) throw invalid(`${shown(file.path)} is declared twice`);
    byPath.set(file.path, answerFile(file));
  }
  if (byPath.size === 0) throw invalid("it has no files");
  const missing = site.notFound === undefined ? undefined : byPath.get(site.notFound);
  if (site.notFound !== undefined && missing === undefined)
    throw invalid(`its 404 page ${shown(site.notFound)} is not among its files`);
  return {
    hostname,
    port: port === "" ? 443 : Number(port),
    origin,
    files: [...byPath.values()].sort((left, right) => (left.path < right.path ? -1 : 1)),
    missing: missing === undefined ? undefined : asMissing(missing),
    missingBelow: [...notFoundPages(byPath.values(), site.notFound)]
      .filter(([folder]) => folder !== "/")
      .map(([folder, page]) => ({ folder, page: asMissing(page) }))
      .sort((left, right) => right.folder.length - left.folder.length),
    moves: movesOf(site.redirects ?? [], byPath),
    moveHeaders: [["cache-control", "no-cache"], ...securityHeaders(inertPolicy)],
    refusalHeaders: [["cache-control", "no-store"], ...securityHeaders(inertPolicy)],
  };
}

function answerFile(file: DeclaredFile): AnsweredFile {
  assertPath(file.path);
  assertHeaders(file);
  for (const sha256 of [file.sha256, ...file.encodings.map((encoded) => encoded.sha256)])
    assertSha256(sha256, file.path);
  if (new Set(file.encodings.map(({ encoding }) => encoding)).size < file.encodings.length)
    throw invalid(`${shown(file.path)} has one encoding twice`);
  return { ...file, headers: completeHeaders(file.headers, file.encodings.length > 0) };
}

function asMissing(file: AnsweredFile): AnsweredFile {
  const kept = file.headers.filter(([name]) => name !== "cache-control");
  return { ...file, headers: [...kept, ["cache-control", "no-cache"]] };
}

function movesOf(
  redirects: readonly DeclaredRedirect[],
  files: ReadonlyMap<string, DeclaredFile>,
): DeclaredRedirect[] {
  const moves = new Map<string, DeclaredRedirect>();
  for (const redirect of redirects) {
    assertPath(redirect.from);
    assertRedirect(redirect);
    if (files.has(redirect.from)) throw invalid(`${shown(redirect.from)} is both a file and a redirect`);
    if (moves.has(redirect.from)) throw invalid(`${shown(redirect.from)} is redirected twice`);
    moves.set(redirect.from, redirect);
  }
  for (const path of files.keys()) {
    const bare = path.slice(0, -1);
    if (!path.endsWith("/") || bare === "" || files.has(bare) || moves.has(bare)) continue;
    moves.set(bare, { from: bare, to: encodePath(path), status: 308 });
  }
  return [...moves.values()].sort((left, right) => (left.from < right.from ? -1 : 1));
}

/** Writes a decoded path as browsers send it. */
export function encodePath(path: string): string {
  return encodeURI(path)
    .replaceAll("%5B", "[")
    .replaceAll("%5D", "]")
    .replaceAll("%7C", "|")
    .replaceAll("?", "%3F")
    .replaceAll("#", "%23");
}

function parseOrigin(origin: string): Pick<URL, "hostname" | "port" | "origin"> {
  const url = URL.canParse(origin) ? new URL(origin) : undefined;
  if (url === undefined || url.protocol !== "https:" || url.origin !== origin)
    throw invalid(`its origin ${shown(origin)} is not of the form https://www.bakery.example`);
  return url;
}

function invalid(what: string) {
  return hostsError(
    "HOSTS_SITE_INVALID",
    `The site can't be emitted: ${what}.`,
    "Build it again: npx curtainwall build",
  );
}
