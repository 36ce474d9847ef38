/** A version of a browser library that was recognised. */
export interface RecognisedLibrary {
  readonly name: string;
  readonly version: string;
  /** The file, or the address that a page loads. */
  readonly where: string;
  readonly by: "content" | "hash" | "file-name" | "address";
  readonly vulnerabilities: readonly LibraryVulnerability[];
}

/** What is known against a version. */
export interface LibraryVulnerability {
  readonly severity: "low" | "medium" | "high" | "critical" | "unknown";
  readonly summary: string;
  /** `CVE-2020-11022`, `GHSA-…`; what the feed names. */
  readonly identifiers: readonly string[];
  /** The first version without it, if the feed names one. */
  readonly fixedIn: string | undefined;
}

/**
 * What can be said in the end. `unknown`: nothing known was found, and that proves nothing, because the feed is old or of unknown age, or
 * because something could not be checked.
 */
export interface LibraryReport {
  readonly verdict: "none-known" | "vulnerable" | "unknown";
  /** Why it is unknown, or what a verdict leaves out. */
  readonly reasons: readonly string[];
  /** Age of the feed in days; undefined if nobody said when it was made. */
  readonly feedAgeDays: number | undefined;
  readonly libraries: readonly RecognisedLibrary[];
}

/** Runs a task for so long at most; undefined if it took longer. `src/harden/node/` has the one for Node. */
export type TimeLimit = <Result>(task: () => Result, limitMs: number) => { value: Result } | undefined;

/** Options of {@link createLibraryScan}. */
export interface LibraryScanOptions {
  /** The feed, in retire.js' format, parsed from JSON. It is foreign: nothing in it is trusted. */
  feed: unknown;
  /** When the feed was made. Undefined: the verdict can't be better than unknown. */
  feedDate: Date | undefined;
  /** Oldest feed that counts, in days. Default 30. */
  maxFeedAgeDays?: number;
  /** Required: the feed's patterns are foreign, and may take forever. */
  timeLimit: TimeLimit;
  /** SHA-1, hexadecimal: what the feed's hashes are. */
  sha1: (bytes: Uint8Array) => string;
  /** The time. Default: the clock. */
  now?: () => Date;
}

/** Recognises libraries in one file after the other; see {@link createLibraryScan}. */
export interface LibraryScan {
  /** Looks into a script; other files it leaves alone. */
  inspectFile(file: { readonly path: string; readonly bytes: Uint8Array }): void;
  /** Looks at an address that a page loads a script from. */
  inspectAddress(address: string): void;
  finish(): LibraryReport;
}
