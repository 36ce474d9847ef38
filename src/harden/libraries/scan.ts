import { parseFeed } from "./feed.ts";
import type { VersionPattern } from "./feed.ts";
import type { LibraryScan, LibraryScanOptions, RecognisedLibrary } from "./types.ts";
import { isAffected } from "./versions.ts";

/** Around a text that a pattern requires: what the pattern is given to read, in characters. */
const before = 2000;
const after = 4000;
/** Places of one pattern that are read in one file. */
const maxPlaces = 8;
/** For all patterns on one file. */
const fileLimitMs = 2000;
/** Versions that are kept; a hostile file could name many. */
const maxFound = 10_000;

/**
 * Recognises browser libraries in what is published, by their text, hash, file name and address, and says which versions have known
 * vulnerabilities.
 *
 * The feed's patterns are run only around the text that they require, on a few thousand characters, under a time limit; a file on which
 * they take longer makes the verdict *unknown*.
 *
 * @throws {CurtainwallError} `HARDEN_FEED_INVALID`
 */
export function createLibraryScan({
  feed,
  feedDate,
  maxFeedAgeDays = 30,
  timeLimit,
  sha1,
  now = () => new Date(),
}: LibraryScanOptions): LibraryScan {
  const { contents, fileNames, addresses, hashes, vulnerabilities, unreadable } = parseFeed(feed);
  const found = new Map<string, RecognisedLibrary>();
  const reasons: string[] = unreadable === 0 ? [] : [`${unreadable} patterns of the feed can't be read`];

  function add(name: string, version: string, where: string, by: RecognisedLibrary["by"]): void {
    const key = JSON.stringify([name, version, where]);
    if (found.has(key) || found.size >= maxFound) return;
    const known = (vulnerabilities.get(name) ?? []).filter((entry) => isAffected(version, entry));
    const told = known.map(({ severity, summary, identifiers, fixedIn }) => ({
      severity,
      summary,
      identifiers,
      fixedIn,
    }));
    found.set(key, { name, version, where, by, vulnerabilities: told });
  }

  function match(
    patterns: readonly VersionPattern[],
    text: string,
    where: string,
    by: RecognisedLibrary["by"],
  ): void {
    const run = timeLimit(() => patterns.flatMap((pattern) => versionsIn(pattern, text)), fileLimitMs);
    if (run === undefined) reasons.push(`${where} took too long to look through`);
    for (const { library, version } of run?.value ?? []) add(library, version, where, by);
  }

  return {
    inspectFile({ path, bytes }) {
      if (!isScript(path)) return;
      const known = hashes.get(sha1(bytes));
      if (known !== undefined) return add(known.library, known.version, path, "hash");
      // Of a file whose text names its version, the text counts: it may have been renamed.
      const size = found.size;
      match(contents, new TextDecoder().decode(bytes), path, "content");
      if (found.size === size) match(fileNames, path.split("/").at(-1) ?? "", path, "file-name");
    },
    inspectAddress(address) {
      const plain = address.slice(0, 2000).replace(/[?#].*$/s, "");
      match(addresses, plain, address.slice(0, 2000), "address");
      match(fileNames, plain.split("/").at(-1) ?? "", address.slice(0, 2000), "address");
    },
    finish() {
      const age =
        feedDate === undefined ? undefined : Math.floor((now().getTime() - feedDate.getTime()) / 86_400_000);
      const libraries = [...found.values()];
      const why = [...reasons, ...whyStale(age, maxFeedAgeDays)];
      const vulnerable = libraries.some((library) => library.vulnerabilities.length > 0);
      const verdict = vulnerable ? "vulnerable" : why.length > 0 ? "unknown" : "none-known";
      return { verdict, reasons: why, feedAgeDays: age, libraries };
    },
  };
}

const isScript = (path: string): boolean => /\.(?:[cm]?js|html?|xhtml)$/i.test(path);

function whyStale(age: number | undefined, maxDays: number): string[] {
  if (age === undefined || Number.isNaN(age)) return ["nobody said when the feed was made"];
  if (age < 0) return ["the feed claims to be from the future"];
  return age > maxDays ? [`the feed is ${age} days old; more than ${maxDays} proves nothing`] : [];
}

interface FoundVersion {
  readonly library: string;
  readonly version: string;
}

function versionsIn(
  { library, pattern, required, replacement }: VersionPattern,
  text: string,
): FoundVersion[] {
  const versions = new Set<string>();
  for (const place of placesOf(text, required)) {
    const match = pattern.exec(place);
    const version =
      match === null
        ? undefined
        : replacement === undefined
          ? match[1]
          : replacement.replaceAll(/\$(\d)/g, (_, group: string) => match[Number(group)] ?? "");
    if (version !== undefined && /\d/.test(version))
      versions.add(version.replace(/(\.|-)min$/, "").replace(/[.-]+$/, ""));
  }
  return Array.from(versions, (version) => ({ library, version }));
}

/** The stretches of a text that a pattern could match in. */
function placesOf(text: string, required: string | undefined): string[] {
  if (text.length <= before + after && required === undefined) return [text];
  if (required === undefined) return [text.slice(0, after)];
  const places: string[] = [];
  for (
    let at = text.indexOf(required);
    at >= 0 && places.length < maxPlaces;
    at = text.indexOf(required, at + after)
  )
    places.push(text.slice(Math.max(0, at - before), at + required.length + after));
  return places;
}
