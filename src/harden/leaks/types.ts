import type { LeakException } from "../../contract/index.ts";
import type { Secret } from "../../shared/index.ts";
import type { FingerprintOptions, ValueFingerprints } from "../fingerprints.ts";

export type { LeakException };

/** A file as it would be published. */
export interface LeakFile {
  /** Relative to the release, with `/`. */
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** What the gate looks for. Public: exceptions name these. */
export type LeakRule =
  | "private-value"
  | "environment-value"
  | "canary"
  | "vault-value"
  | "public-name-undeclared"
  | "build-path"
  | "foreign-path"
  | "server-only"
  | "source-map"
  | "private-file"
  | "editor-litter"
  | "database"
  | "git-object"
  | "unsearchable"
  | "exception-expired"
  | "exception-unused"
  | `token-${string}`;

/** How a value was written, from the outside in: `gzip`, `base64`, `escaped` … Empty: as it is. */
export type LeakEncoding =
  | "gzip"
  | "zlib"
  | "brotli"
  | "zstd"
  | "zip"
  | "base64"
  | "hex"
  | "url"
  | "json"
  | "html"
  | "css"
  | "utf-16"
  | "utf-32"
  | "reversed"
  | "png-text"
  | "pdf-stream";

/** Something in a file that must not leave, or (as a `note`) something to know about. Holds no value: see `excerpt`. */
export interface LeakHit {
  /** A `hit` fails the build; a `note` is told. */
  readonly level: "hit" | "note";
  readonly rule: LeakRule;
  readonly path: string;
  /** The member, when the file is an archive: `settings/.env`. */
  readonly member: string | undefined;
  /** Byte in the file, or in what was unpacked from it if `encodings` says that it is packed. From 0. */
  readonly offset: number;
  /** From 1, at `offset`; a line ends at LF. */
  readonly line: number;
  /** Byte in the line, from 1. */
  readonly column: number;
  readonly encodings: readonly LeakEncoding[];
  /** How often the file shows it in this way; the place is the first one's. */
  readonly occurrences: number;
  /** What was found, in words; names variables, never a value. */
  readonly message: string;
  /** At most the first 3 and last 2 characters, and never more than a quarter of them. */
  readonly excerpt: string;
  /** What to do about it. */
  readonly hint: string;
}

/** A value that must not be in any output, by the name that messages may tell. */
export interface PrivateValue {
  readonly name: string;
  readonly value: Secret;
  /** Why it is private. Default `private-value`. */
  readonly rule?: "private-value" | "environment-value" | "canary";
}

/** Something that the gate can't look for, and why. */
export interface NotSearched {
  /** A private value, or a folder of the machine that builds. */
  readonly kind: "value" | "folder";
  readonly name: string;
  readonly reason: string;
}

/** Ways in which files are packed. */
export type Packing = "gzip" | "zlib" | "deflate" | "brotli" | "zstd";

/** What came out of {@link Unpack}: the bytes, or why there are none. Bytes of a stream that is cut short count. */
export type Unpacked = Uint8Array | "too-large" | "broken";

/** Unpacks bytes, up to a bound. `src/harden/node/` has the one for Node. */
export type Unpack = (packing: Packing, bytes: Uint8Array, maxBytes: number) => Unpacked;

/** Options of {@link createLeakGate}. */
export interface LeakGateOptions {
  /** Unpacks what is packed. Required: without it, a packed file can't be judged. */
  unpack: Unpack;
  /** Values that must not leave, like those of `privateEnv`. Default none. */
  values?: Iterable<PrivateValue>;
  /** Values that the vault has and this process has not, by what they are recognised by. Default none. */
  fingerprints?: { of: ValueFingerprints; sha256: FingerprintOptions["sha256"] };
  /** Names that `publicEnv` declares; names with a public prefix (`VITE_` …) that are not among them are hits. Default: not checked. */
  publicNames?: readonly string[];
  /**
   * Folders of this machine whose names must not leave: the site's, the home. One that ends with a dash is the beginning of names:
   * `/tmp/build-`. Default none.
   */
  buildRoots?: readonly string[];
  /** Files whose source maps are published on purpose; patterns like those of {@link LeakException}. Default none. */
  publicSourceMaps?: readonly string[];
  /** What may pass, with reason and expiry. Default none. */
  allow?: readonly LeakException[];
  /** Layers that are opened inside one another: an archive in an archive, base64 in JSON. 1 to 8. Default 5. */
  maxDepth?: number;
  /** The most bytes that are unpacked from one file. Default 67 108 864. */
  maxUnpackedBytes?: number;
  /** The time. Default: the clock. */
  now?: () => Date;
}

/** Looks for leaks in one file after the other; see {@link createLeakGate}. */
export interface LeakGate {
  /** What is wrong with a file. Nothing of the file is kept. */
  inspect(file: LeakFile): LeakHit[];
  /** What can only be said at the end: exceptions that expired (hits) or met nothing (notes). */
  finish(): LeakHit[];
  /** Values that can't be looked for, because they would be found everywhere. To be told to whoever builds. */
  readonly notSearched: readonly NotSearched[];
}
