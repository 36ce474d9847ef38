import { z } from "zod";
import { CurtainwallError } from "../../shared/index.ts";
import type { HardenErrorCode } from "../errors.ts";
import { requiredText } from "./required-text.ts";
import type { LibraryVulnerability } from "./types.ts";
import type { VersionRange } from "./versions.ts";

/** A pattern of the feed; its first group is the version. */
export interface VersionPattern {
  readonly library: string;
  readonly pattern: RegExp;
  /** What every match contains. */
  readonly required: string | undefined;
  /** How the version is put together from groups, for patterns that find it in pieces: `$1.$2`. */
  readonly replacement: string | undefined;
}

/** A feed, checked and compiled. */
export interface LibraryFeed {
  readonly contents: readonly VersionPattern[];
  readonly fileNames: readonly VersionPattern[];
  readonly addresses: readonly VersionPattern[];
  /** SHA-1 to library and version. */
  readonly hashes: ReadonlyMap<string, { readonly library: string; readonly version: string }>;
  readonly vulnerabilities: ReadonlyMap<string, readonly (LibraryVulnerability & VersionRange)[]>;
  /** Patterns that no engine here can read; what they would find is not found. */
  readonly unreadable: number;
}

const texts = z.array(z.string().max(4000)).max(200).optional();
const names = z.union([z.string().max(300), z.array(z.string().max(300)).max(100)]).optional();

const Vulnerability = z.object({
  below: z.string().max(60).optional(),
  atOrAbove: z.string().max(60).optional(),
  severity: z.string().max(20).optional(),
  identifiers: z
    .object({
      summary: z.string().max(4000).optional(),
      CVE: names,
      githubID: names,
      issue: names,
      bug: names,
      PR: names,
      osvdb: names,
    })
    .optional(),
});

const Library = z.object({
  vulnerabilities: z.array(Vulnerability).max(2000).optional(),
  extractors: z
    .object({
      filename: texts,
      filecontent: texts,
      filecontentreplace: texts,
      uri: texts,
      hashes: z.record(z.string().max(128), z.string().max(60)).optional(),
    })
    .optional(),
});

type Extractors = NonNullable<z.infer<typeof Library>["extractors"]>;

/**
 * Reads a feed in the format of retire.js' repository (version 4). Its expressions over syntax trees and its functions are not used.
 *
 * @throws {CurtainwallError} `HARDEN_FEED_INVALID`
 */
export function parseFeed(feed: unknown): LibraryFeed {
  const parsed = z.record(z.string().max(120), Library).safeParse(feed);
  if (!parsed.success || Object.keys(parsed.data).length === 0) throw invalidFeed(parsed.error?.issues[0]);
  const compiled = {
    contents: [] as VersionPattern[],
    fileNames: [] as VersionPattern[],
    addresses: [] as VersionPattern[],
  };
  const hashes = new Map<string, { library: string; version: string }>();
  const vulnerabilities = new Map<string, (LibraryVulnerability & VersionRange)[]>();
  let unreadable = 0;
  const compile = (
    list: VersionPattern[],
    library: string,
    sources: readonly string[] = [],
    wrap = asIs,
  ): void => {
    for (const source of sources) {
      const pattern = compilePattern(library, source, wrap);
      if (pattern === undefined) unreadable++;
      else list.push(pattern);
    }
  };
  for (const [library, { extractors = {}, vulnerabilities: known = [] }] of Object.entries(parsed.data)) {
    // The format's own example.
    if (library === "retire-example") continue;
    const { filecontent, filecontentreplace, filename, uri, hashes: digests = {} }: Extractors = extractors;
    compile(compiled.contents, library, filecontent);
    compile(compiled.contents, library, filecontentreplace, asReplacement);
    compile(compiled.fileNames, library, filename, (source) => ({ source: `^${source}$` }));
    compile(compiled.addresses, library, uri, (source) => ({ source: `${source}$` }));
    for (const [digest, version] of Object.entries(digests))
      hashes.set(digest.toLowerCase(), { library, version });
    vulnerabilities.set(library, known.map(readVulnerability));
  }
  return { ...compiled, hashes, vulnerabilities, unreadable };
}

interface Wrapped {
  readonly source: string;
  readonly replacement?: string | undefined;
}

const asIs = (source: string): Wrapped => ({ source });

/** `/pattern/$1.$2/` */
function asReplacement(source: string): Wrapped {
  const [, pattern = "(?!)", replacement] = /^\/(.*[^\\])\/([^/]+)\/$/s.exec(source) ?? [];
  return { source: pattern, replacement };
}

/** What the feed writes for a version. */
const versionSource = String.raw`[0-9][0-9.a-z_\-]{0,40}`;

function compilePattern(
  library: string,
  text: string,
  wrap: (source: string) => Wrapped,
): VersionPattern | undefined {
  const { source, replacement } = wrap(text);
  try {
    const pattern = new RegExp(source.replaceAll("§§version§§", versionSource));
    return {
      library,
      pattern,
      required: requiredText(source.replaceAll("§§version§§", "[0-9]")),
      replacement,
    };
  } catch {
    return undefined;
  }
}

const severities = new Set(["low", "medium", "high", "critical"]);

function readVulnerability({
  below,
  atOrAbove,
  severity = "",
  identifiers = {},
}: z.infer<typeof Vulnerability>): LibraryVulnerability & VersionRange {
  const { summary, CVE, githubID, ...others } = identifiers;
  const listed = [CVE, githubID].flatMap((value) => value ?? []);
  const fallback = Object.entries(others).flatMap(([kind, value]) =>
    [value ?? []].flat().map((text) => `${kind} ${text}`),
  );
  return {
    severity: severities.has(severity) ? (severity as LibraryVulnerability["severity"]) : "unknown",
    summary: (summary ?? "").slice(0, 300),
    identifiers: listed.length > 0 ? listed : fallback,
    fixedIn: below,
    below,
    atOrAbove,
  };
}

function invalidFeed(issue: z.core.$ZodIssue | undefined): CurtainwallError {
  const code: HardenErrorCode = "HARDEN_FEED_INVALID";
  const where =
    issue === undefined ? "it names no library" : `${issue.path.join(".").slice(0, 100)}: ${issue.message}`;
  return new CurtainwallError(code, `The feed of advisories is not in retire.js' format: ${where}.`, {
    hint: "Give it the file jsrepository-v4.json of the RetireJS/retire.js repository",
  });
}
