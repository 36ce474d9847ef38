import { CurtainwallError } from "../../shared/index.ts";
import type { Header } from "../headers/security-headers.ts";

/** How a file's bytes are encoded in the release. */
export type Encoding = "identity" | "br" | "gzip" | "zstd";

/** Every encoding, in the order in which a file's variants stand in a release. */
export const encodings: readonly Encoding[] = ["identity", "br", "gzip", "zstd"];

/** Where one encoding of a file lies among the release's bytes. */
export interface ReleaseVariant {
  readonly encoding: Encoding;
  /** From the first byte of {@link Release.body}. */
  readonly offset: number;
  readonly length: number;
  /** SHA-256 of these bytes, hexadecimal. Also what the strong ETag is made of. */
  readonly sha256: string;
}

/** One file of a release. */
export interface ReleaseFile {
  /** Absolute URL path, decoded: `/`, `/about/`, `/assets/site.3f2a.css`. */
  readonly path: string;
  /**
   * Every header of a 200 that is the same for all encodings: content-type, cache-control, vary and the security headers. Lower-case
   * names. Files with the same headers share one array.
   */
  readonly headers: readonly Header[];
  /** Identity first. */
  readonly variants: readonly ReleaseVariant[];
}

/** A path that leads elsewhere. */
export interface ReleaseRedirect {
  /** Absolute URL path, decoded. No file has the same. */
  readonly path: string;
  /** Where to: a path of this site, percent-encoded, or an https URL. */
  readonly to: string;
  readonly status: 301 | 302 | 307 | 308;
}

/** The table of contents of a release. */
export interface ReleaseManifest {
  readonly format: 2;
  /** Sorted by path. */
  readonly files: readonly ReleaseFile[];
  /** Sorted by path. */
  readonly redirects: readonly ReleaseRedirect[];
  /** Path of the page that is sent with a 404, if the site has one. */
  readonly notFound?: string;
  /** What compressed the variants, by encoding: `brotli 1.2.0, quality 11`. Other encoders write other bytes of the same meaning. */
  readonly encoders: Readonly<Partial<Record<Encoding, string>>>;
}

/** A file to be put into a release. */
export interface ReleaseInput {
  path: string;
  headers: readonly Header[];
  /** Identity must be among them. */
  bytes: Partial<Record<Encoding, Uint8Array>>;
}

/** What a release says besides its files. */
export interface ReleaseExtras {
  /** See {@link ReleaseManifest.notFound}. */
  notFound?: string;
  /** See {@link ReleaseManifest.redirects}. Default none. */
  redirects?: readonly ReleaseRedirect[];
  /** See {@link ReleaseManifest.encoders}. Default: nothing is said. */
  encoders?: Readonly<Partial<Record<Encoding, string>>>;
}

/** A release that has been read and checked. */
export interface Release {
  readonly manifest: ReleaseManifest;
  /** SHA-256 of the manifest, hexadecimal: the release's name. */
  readonly digest: string;
  /** All variants' bytes; a variant's offset counts from here. */
  readonly body: Uint8Array;
  /** The signatures that travel in the same file; empty if they don't. See `signRelease` and `acceptRelease`. */
  readonly signatures: string;
}

/** SHA-256 of bytes, which may be shared with other threads. */
export type Digest = (bytes: Uint8Array) => Uint8Array | Promise<Uint8Array>;

/** Begins every pack. */
export const magic = new TextEncoder().encode("curtainwall-release 2\n");
/** Begins a manifest that travels without its files. */
export const detachedMagic = new TextEncoder().encode("curtainwall-manifest 2\n");
/** Ends every pack: what is cut short lacks it. */
export const endMagic = new TextEncoder().encode("\ncw-end 2\n");

/**
 * Bytes of a pack's trailer: length of the body (64 bit, big endian), of the manifest and of the signatures (32 bit each), SHA-256
 * of the manifest, SHA-256 of the signatures and of the trailer up to there, the end's magic.
 */
export const trailerLength = 8 + 4 + 4 + 32 + 32 + endMagic.length;
/** Bytes of the trailer that its own check covers. */
export const checkedTrailerLength = 8 + 4 + 4 + 32;

/** The error for what can't be read as a release, or can't become one. */
export function invalidRelease(what: string, hint?: string): CurtainwallError {
  return new CurtainwallError(
    "RELEASE_FORMAT_INVALID",
    `The release can't be used: ${what}.`,
    hint === undefined ? {} : { hint },
  );
}

/** The bytes, copied if they lie in shared memory: Web Crypto and TextDecoder don't read from there. */
export function unshared(bytes: Uint8Array): Uint8Array {
  return bytes.buffer instanceof ArrayBuffer ? bytes : bytes.slice();
}
