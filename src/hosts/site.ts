import type { Header } from "../contract/index.ts";

/** A host that files can be emitted for. */
export type HostName = "nginx" | "caddy" | "cloudflare" | "netlify" | "vercel";

/** How bytes are compressed, as Content-Encoding names it. */
export type Compression = "br" | "gzip" | "zstd";

/** One compressed form of a file. */
export interface DeclaredEncoding {
  readonly encoding: Compression;
  /** SHA-256 of the compressed bytes, hexadecimal. */
  readonly sha256: string;
}

/** One file of a site, and what it is sent with. */
export interface DeclaredFile {
  /** Absolute URL path, decoded: `/`, `/about/`, `/assets/site.3f2a.css`. */
  readonly path: string;
  /** Headers of a 200. Lower-case names, each once. What the edge adds to every file is added here too. */
  readonly headers: readonly Header[];
  /** SHA-256 of the bytes, hexadecimal. */
  readonly sha256: string;
  /** Compressed forms beside the plain one. */
  readonly encodings: readonly DeclaredEncoding[];
}

/** An address that sends elsewhere. */
export interface DeclaredRedirect {
  /** Absolute URL path, decoded. */
  readonly from: string;
  /** As Location is sent: an absolute path, encoded, or an absolute URL. */
  readonly to: string;
  readonly status: 301 | 302 | 307 | 308;
}

/** Everything that a host is to serve. */
export interface DeclaredSite {
  /** `https://www.bakery.example` */
  readonly origin: string;
  readonly files: readonly DeclaredFile[];
  /** Path of the page that is sent with a 404. */
  readonly notFound?: string;
  readonly redirects?: readonly DeclaredRedirect[];
}

/** A file that was written for a host. */
export interface EmittedFile {
  /** Relative, with `/`. */
  readonly path: string;
  readonly text: string;
}

/** Where a host wants a file's bytes. */
export interface Placement {
  /** Relative, with `/`. */
  readonly file: string;
  /** The declared path whose bytes they are. */
  readonly path: string;
  readonly encoding: "identity" | Compression;
}

/** What a host is given: its own files, and where the site's bytes go beside them. */
export interface Emission {
  readonly host: HostName;
  readonly files: readonly EmittedFile[];
  readonly placements: readonly Placement[];
  /** What the operator should know, a sentence each. */
  readonly notes: readonly string[];
}
