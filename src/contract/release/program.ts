import { printable } from "../../shared/index.ts";
import { baseSecurityHeaders, inertPolicy } from "../headers/security-headers.ts";
import type { Header } from "../headers/security-headers.ts";
import type { ReleaseFile, ReleaseManifest } from "./format.ts";
import { beyond, permissionsOf } from "./permissions.ts";
import type { Permissions } from "./permissions.ts";

/**
 * What may run: the ceiling that a developer signs, and that no content release may leave.
 *
 * It is read off a release's own headers and files, since those are what browsers obey. A second list of scripts beside them could
 * say something else.
 */
export interface Program {
  readonly format: 1;
  /** The site's origin. */
  readonly site: string;
  /** Of the contract's routes, by {@link contractDigest}. */
  readonly contract: string;
  /** What it was made from, for people who compare: SHA-256, hexadecimal. Not checked by the edge, which has none of it. */
  readonly sources: Readonly<Record<string, string>>;
  /** Sources that the pages' policies may name, for the directives that share them: script and style hashes are among them. */
  readonly policy: readonly (readonly [directives: readonly string[], sources: readonly string[]])[];
  /** SHA-256, hexadecimal, of every file that a browser would run or style with: JavaScript, WebAssembly, CSS. */
  readonly code: readonly string[];
  /** Every other header line that a file may be sent with, the few aside that only describe its bytes. */
  readonly headers: readonly Header[];
  /** Each function with the SHA-256 of its bundle, hexadecimal: `contact 9f86d0…`. */
  readonly functions: readonly string[];
}

/** What a program says that can't be read off a release. */
export type ProgramFacts = Pick<Program, "site" | "contract" | "sources"> &
  Partial<Pick<Program, "functions">>;

/** The program of a release: all that its pages permit, and nothing else. */
export function programOf({ files }: ReleaseManifest, facts: ProgramFacts): Program {
  const ceiling = new Map<string, Set<string>>();
  const lines = new Map<string, Header>();
  for (const headers of headerSets(files)) {
    for (const [name, sources] of permissionsIn(headers)) {
      const known = ceiling.get(name) ?? new Set();
      for (const source of sources) known.add(source);
      ceiling.set(name, known);
    }
    for (const line of governed(headers)) lines.set(line.join(": "), line);
  }
  // Words and pictures are what content is: an editor's first video must not need the developer.
  for (const name of ["img-src", "media-src"]) ceiling.get(name)?.add("'self'");
  return {
    format: 1,
    functions: [],
    ...facts,
    policy: group(ceiling),
    code: [...new Set(files.filter(isCode).map(identityDigest))].sort(),
    headers: [...lines].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, line]) => line),
  };
}

/**
 * Tells what of a release lies outside a program, in words; empty if nothing does. At most `max` of it.
 *
 * A page may use whatever any page of the program uses: scripts that were approved can meet on one page, new ones can't come.
 */
export function outsideProgram({ files }: ReleaseManifest, program: Program, max = 20): string[] {
  const ceiling = ungroup(program);
  const lines = new Set(program.headers.map((line) => line.join(": ")));
  const code = new Set(program.code);
  const verdicts = new Map<readonly Header[], string[]>();
  const outside: string[] = [];
  for (const file of files) {
    const verdict = verdicts.get(file.headers) ?? headersOutside(file.headers, ceiling, lines);
    verdicts.set(file.headers, verdict);
    for (const what of verdict) outside.push(`${printable(file.path)} ${printable(what)}`);
    if (isCode(file) && !code.has(identityDigest(file)))
      outside.push(`${printable(file.path)} is a script or style that is new`);
    if (outside.length >= max) return outside.slice(0, max);
  }
  return outside;
}

function headersOutside(
  headers: readonly Header[],
  ceiling: Permissions,
  lines: ReadonlySet<string>,
): string[] {
  const outside: string[] = [];
  const names = new Set(headers.map(([name]) => name));
  // Browsers and servers disagree about which of two counts.
  if (names.size < headers.length) outside.push("has a header twice");
  const news = new Map<string, string[]>();
  for (const [name, sources] of permissionsIn(headers)) {
    for (const source of beyond(sources, ceiling.get(name)))
      news.set(source, [...(news.get(source) ?? []), name]);
  }
  for (const [source, directives] of news)
    outside.push(`has a policy that permits ${source} (${directives.join(", ")})`);
  for (const line of governed(headers)) {
    if (!lines.has(line.join(": "))) outside.push(`has the header ${line.join(": ").slice(0, 100)}`);
  }
  return outside;
}

const policyName = "content-security-policy";
const reportOnlyName = "content-security-policy-report-only";

/** What a set of headers permits. Without a policy the edge sends the inert one. */
function* permissionsIn(headers: readonly Header[]): Generator<readonly [string, ReadonlySet<string>]> {
  yield* permissionsOf(headers.find(([name]) => name === policyName)?.[1] ?? inertPolicy);
  const observed = headers.find(([name]) => name === reportOnlyName)?.[1];
  if (observed === undefined) return;
  // It forbids nothing; whom it reports to, it tells which pages somebody reads.
  for (const policy of observed.split(",")) {
    for (const entry of permissionsOf(policy)) if (entry[0].startsWith("report-")) yield entry;
  }
}

/** Headers that only describe the bytes, or how long to keep them. The content type counts by way of {@link isCode}. */
const descriptive: ReadonlySet<string> = new Set([
  "cache-control",
  "content-disposition",
  "content-language",
  "content-type",
  "last-modified",
  "vary",
  policyName,
  reportOnlyName,
]);

const ours: ReadonlySet<string> = new Set(baseSecurityHeaders.map((line) => line.join(": ")));

/** Lines that a program must permit one by one: all but the describing ones and those that the edge would send anyhow. */
function governed(headers: readonly Header[]): Header[] {
  return headers.filter((line) => !descriptive.has(line[0]) && !ours.has(line.join(": ")));
}

/** @see WHATWG MIME Sniffing §4.6 (JavaScript MIME types) */
const codeType =
  /^(?:(?:application|text)\/(?:x-)?(?:ecma|java)script|text\/(?:javascript1\.[0-5]|jscript|livescript|css)|application\/wasm)$/;

/** Whether a browser would run the file, or style a page with it, if a page asked it to. `nosniff` keeps it from trying others. */
function isCode({ headers }: ReleaseFile): boolean {
  const type = headers.find(([name]) => name === "content-type")?.[1] ?? "";
  // Of a list browsers take the last that they understand.
  return type.split(",").some((entry) => codeType.test((entry.split(";")[0] ?? "").trim().toLowerCase()));
}

const identityDigest = ({ variants }: ReleaseFile): string => variants[0]?.sha256 ?? "";

/** The sets of headers that occur: a few, however many files there are. */
const headerSets = (files: readonly ReleaseFile[]): Set<readonly Header[]> =>
  new Set(files.map(({ headers }) => headers));

/** Directives that permit the same are written together: `script-src` and those that fall back to it. */
function group(ceiling: Permissions): Program["policy"] {
  const groups = new Map<string, { directives: string[]; sources: string[] }>();
  for (const [name, set] of [...ceiling].sort(([left], [right]) => (left < right ? -1 : 1))) {
    const sources = [...set].sort();
    const key = sources.join("\n");
    const known = groups.get(key);
    if (known === undefined) groups.set(key, { directives: [name], sources });
    else known.directives.push(name);
  }
  return [...groups.values()].map(({ directives, sources }) => [directives, sources] as const);
}

function ungroup({ policy }: Program): Permissions {
  return new Map(
    policy.flatMap(([directives, sources]) => {
      const set = new Set(sources);
      return directives.map((name) => [name, set] as const);
    }),
  );
}
