import { completeHeaders, inertPolicy, notFoundPages, securityHeaders } from "../../contract/index.ts";
import type { Header, ReleaseFile, ReleaseManifest, ReleaseRedirect } from "../../contract/index.ts";
import { compareHeaders } from "./compare-headers.ts";
import type { HeaderDifference } from "./compare-headers.ts";

/** What a host answered. */
export interface HostAnswer {
  readonly status: number;
  /** Lower-case names; a header that was sent twice stands twice. */
  readonly headers: readonly Header[];
  /** Headers of 103 answers before it: a browser acts on them at once. */
  readonly hints: readonly Header[];
  /** Headers after the body. */
  readonly trailers: readonly Header[];
  /** SHA-256, hexadecimal, of the body once its content coding is undone. */
  readonly sha256: string;
  /** Why the body can't be compared: an unknown coding, a broken one, more bytes than were allowed. */
  readonly problem: string | undefined;
}

/** Asks a host for one path, percent-encoded. Never follows a redirect. Rejects when there is no answer. */
export type AskHost = (path: string, acceptEncoding: string, maxBytes: number) => Promise<HostAnswer>;

/** One way in which a host serves something else than was released. */
export type HostDifference = { readonly path: string; readonly encoding?: string } & (
  | HeaderDifference
  | {
      readonly what: "hint" | "trailer";
      readonly name: string;
      readonly expected?: undefined;
      readonly actual: string;
    }
  | {
      readonly what: "missing" | "status" | "bytes" | "unreadable" | "unreachable" | "redirect";
      readonly expected?: string;
      readonly actual?: string;
    }
);

/** Options of {@link verifyHost}. */
export interface VerifyHostOptions {
  /** From a file that the host did not send. */
  manifest: ReleaseManifest;
  /** The host's origin: redirects are followed inside it only. */
  origin: string;
  ask: AskHost;
  /** `Accept-Encoding` of the requests; each file is asked for once with each. Default: what browsers send. */
  encodings?: readonly string[];
  /** Requests at once. At least 1. Default 8. */
  concurrency?: number;
  onProgress?: (done: number, total: number) => void;
}

/** What {@link verifyHost} found. */
export interface HostReport {
  /** Files, redirects and the missing page: what was compared. */
  readonly checked: number;
  readonly requests: number;
  /** Sorted by path; empty: the host serves the release, and with every declared header. */
  readonly differences: readonly HostDifference[];
}

const browserEncodings = ["gzip, deflate, br, zstd"];
/** What a host that strips endings or adds slashes needs. */
const maxRedirects = 3;
/** A name that no folder has. */
const nowhere = "curtainwall-verify-nothing-is-here-7f3a";

/** Compares every file of a release, and every header that was declared for it, with what a host serves. */
export async function verifyHost({
  manifest,
  origin,
  ask,
  encodings = browserEncodings,
  concurrency = 8,
  onProgress = () => {},
}: VerifyHostOptions): Promise<HostReport> {
  let requests = 0;
  const differences: HostDifference[] = [];
  const count: AskHost = (...question) => {
    requests++;
    return ask(...question);
  };
  const jobs = plan(manifest, origin, encodings, count);
  let next = 0;
  let done = 0;
  async function work(): Promise<void> {
    for (let job = jobs[next++]; job !== undefined; job = jobs[next++]) {
      differences.push(...(await job.run().catch((error: unknown) => [unreachable(job.path, error)])));
      onProgress(++done, jobs.length);
    }
  }
  await Promise.all(Array.from({ length: Math.max(1, concurrency) }, work));
  differences.sort((left, right) => (left.path < right.path ? -1 : left.path > right.path ? 1 : 0));
  return { checked: jobs.length, requests, differences };
}

interface Job {
  path: string;
  run: () => Promise<HostDifference[]>;
}

function plan(manifest: ReleaseManifest, origin: string, encodings: readonly string[], ask: AskHost): Job[] {
  const files = manifest.files.flatMap((file) =>
    encodings.map((encoding) => ({ path: file.path, run: () => checkFile(file, encoding, origin, ask) })),
  );
  const page = manifest.files.find(({ path }) => path === manifest.notFound);
  const redirects = manifest.redirects.map((redirect) => ({
    path: redirect.path,
    run: () => checkRedirect(redirect, page, origin, ask),
  }));
  const missing = [...notFoundPages(manifest.files, manifest.notFound)].map(([folder, nearest]) => {
    const path = folder + nowhere;
    return { path, run: () => checkNowhere(path, nearest, ask) };
  });
  return [...files, ...redirects, ...missing];
}

async function checkFile(
  file: ReleaseFile,
  encoding: string,
  origin: string,
  ask: AskHost,
): Promise<HostDifference[]> {
  const { path } = file;
  const expected = identityOf(file);
  const hops: HostDifference[] = [];
  const onHop = (hop: HostAnswer): void => void hops.push(...granted(path, [], hop));
  const answer = await follow(encodePath(path), (at) => ask(at, encoding, expected.length), origin, onHop);
  if (typeof answer === "string") return [{ path, what: "redirect", actual: answer }];
  if (answer.status === 404 || answer.status === 410)
    return [{ path, what: "missing", actual: String(answer.status) }];
  if (answer.status !== 200)
    return [{ path, what: "status", expected: "200", actual: String(answer.status) }];
  return [...hops, ...compareAnswer(file, file.headers, answer)].map((difference) => ({
    ...difference,
    encoding,
  }));
}

function compareAnswer(file: ReleaseFile, headers: readonly Header[], answer: HostAnswer): HostDifference[] {
  const { path } = file;
  const body: HostDifference[] =
    answer.problem !== undefined
      ? [{ path, what: "unreadable", actual: answer.problem }]
      : answer.sha256 === identityOf(file).sha256
        ? []
        : [{ path, what: "bytes", expected: identityOf(file).sha256, actual: answer.sha256 }];
  return [...body, ...granted(path, headers, answer)];
}

/** How an answer's headers differ, wherever they stand. A hint that says no more than the answer does is none. */
function granted(
  path: string,
  declared: readonly Header[],
  { headers, hints, trailers }: HostAnswer,
): HostDifference[] {
  const isDeclared = ([name, value]: Header): boolean =>
    declared.some(([known, wanted]) => known === name && wanted === value.trim());
  const told = (what: "hint" | "trailer", found: readonly Header[]): HostDifference[] =>
    found.filter((header) => !isDeclared(header)).map(([name, actual]) => ({ path, what, name, actual }));
  return [
    ...compareHeaders(declared, headers).map((difference) => ({ path, ...difference })),
    ...told("hint", hints),
    ...told("trailer", trailers),
  ];
}

/** Goes where the host sends, as long as that is itself. A text: where it would have led. */
async function follow(
  start: string,
  ask: (path: string) => Promise<HostAnswer>,
  origin: string,
  onHop: (answer: HostAnswer) => void,
): Promise<HostAnswer | string> {
  let path = start;
  for (let count = 0; count <= maxRedirects; count++) {
    const answer = await ask(path);
    const location = locationOf(answer);
    if (location === undefined) return answer;
    onHop(answer);
    const target = URL.parse(location, origin + path);
    if (target === null || target.origin !== origin) return location;
    path = target.pathname + target.search;
  }
  return `more than ${maxRedirects} redirects`;
}

const redirectStatuses: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

const locationOf = ({ status, headers }: HostAnswer): string | undefined =>
  redirectStatuses.has(status) ? headers.find(([name]) => name === "location")?.[1] : undefined;

async function checkRedirect(
  { path, to, status }: ReleaseRedirect,
  notFound: ReleaseFile | undefined,
  origin: string,
  ask: AskHost,
): Promise<HostDifference[]> {
  const answer = await ask(encodePath(path), "identity", 65_536);
  const expected = `${status} ${absolute(to, origin)}`;
  const actual = `${answer.status} ${absolute(locationOf(answer) ?? "", origin)}`;
  const moved: HostDifference[] = expected === actual ? [] : [{ path, what: "redirect", expected, actual }];
  return [...moved, ...compareMove(path, notFound, answer)];
}

/** Redirects have the headers of what is no file; on a host that knows only one rule for that, those of the 404 page. */
function compareMove(path: string, notFound: ReleaseFile | undefined, answer: HostAnswer): HostDifference[] {
  const inert = securityHeaders(inertPolicy);
  const differences = granted(path, inert, answer);
  if (differences.length === 0 || notFound === undefined) return differences;
  const asMissing = completeHeaders(notFound.headers, false);
  const names = new Set(inert.map(([name]) => name));
  const others = granted(
    path,
    asMissing.filter(([name]) => names.has(name)),
    answer,
  );
  return others.length === 0 ? others : differences;
}

const absolute = (address: string, origin: string): string => URL.parse(address, origin)?.href ?? address;

/** What is nowhere must be the site's own 404 page, that of the nearest folder, under its own policy. */
async function checkNowhere(path: string, page: ReleaseFile, ask: AskHost): Promise<HostDifference[]> {
  const answer = await ask(encodePath(path), browserEncodings.join(), identityOf(page).length);
  if (answer.status !== 404)
    return [{ path, what: "status", expected: "404", actual: String(answer.status) }];
  const headers = page.headers.filter(([name]) => name !== "cache-control");
  return compareAnswer(page, headers, answer).map((difference) => ({ ...difference, path }));
}

function identityOf({ variants }: ReleaseFile): { sha256: string; length: number } {
  return variants[0] ?? { sha256: "", length: 0 };
}

const encodePath = (path: string): string => path.split("/").map(encodeURIComponent).join("/");

function unreachable(path: string, error: unknown): HostDifference {
  const { code, message } = error as Error & { code?: string };
  return { path, what: "unreachable", actual: code ?? message };
}
