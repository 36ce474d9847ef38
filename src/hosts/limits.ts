import type { HostName } from "./site.ts";

/** What a host's files can carry: who prepares a site for it plans with these numbers. */
export interface HostLimits {
  /** Characters of a header's value. Infinity: the host has no limit of its own; what stands between it and the reader may. */
  readonly maxValueLength: number;
  /**
   * Characters of a value that surely arrives: node's HTTP client takes 16 384 bytes of headers in all, many proxies 8192.
   * Above it, hashes belong in a `<meta>`.
   */
  readonly prudentValueLength: number;
  /** Different headers for any number of paths, or rules by pattern, and at most so many. */
  readonly perPath: boolean;
  readonly maxRules: number;
  readonly maxRedirects: number;
  readonly maxFiles: number;
  /** Characters of a path. */
  readonly maxPathLength: number;
  /** Headers that the host sets itself, whatever it is told. */
  readonly ownHeaders: readonly string[];
}

/** Limits by host. Where they come from stands in this room's README, with dates. */
export const hostLimits: Readonly<Record<HostName, HostLimits>> = {
  nginx: {
    maxValueLength: Infinity,
    prudentValueLength: 8000,
    perPath: true,
    maxRules: Infinity,
    maxRedirects: Infinity,
    maxFiles: Infinity,
    maxPathLength: 3600,
    ownHeaders: ["accept-ranges", "connection", "content-length", "date", "server"],
  },
  caddy: {
    maxValueLength: Infinity,
    prudentValueLength: 8000,
    perPath: true,
    maxRules: Infinity,
    maxRedirects: Infinity,
    maxFiles: Infinity,
    maxPathLength: Infinity,
    ownHeaders: ["accept-ranges", "connection", "content-length", "date"],
  },
  cloudflare: {
    maxValueLength: 1900,
    prudentValueLength: 1900,
    perPath: false,
    maxRules: 100,
    maxRedirects: 2000,
    maxFiles: 100_000,
    maxPathLength: 1900,
    ownHeaders: ["cf-cache-status", "cf-ray", "content-encoding", "content-length", "date", "etag", "server"],
  },
  netlify: {
    // Netlify states none: "if the output is too large, the deploy might fail".
    maxValueLength: Infinity,
    prudentValueLength: 1900,
    perPath: true,
    maxRules: Infinity,
    maxRedirects: 10_000,
    maxFiles: Infinity,
    maxPathLength: 1000,
    ownHeaders: [
      "accept-ranges",
      "age",
      "allow",
      "alt-svc",
      "connection",
      "content-encoding",
      "content-length",
      "content-range",
      "date",
      "location",
      "server",
      "set-cookie",
      "trailer",
      "transfer-encoding",
      "upgrade",
    ],
  },
  vercel: {
    maxValueLength: 32_768,
    prudentValueLength: 8000,
    perPath: true,
    maxRules: 2048,
    maxRedirects: 2048,
    maxFiles: Infinity,
    maxPathLength: 4000,
    ownHeaders: ["age", "content-length", "date", "etag", "server", "x-vercel-cache", "x-vercel-id"],
  },
};
