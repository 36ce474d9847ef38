import type { Contract, Method } from "../../contract/index.ts";

/** What a request's `Origin` means. */
export type OriginVerdict = "own" | "allowed" | "refused";

/** Cross-origin rules of a contract. */
export interface Cors {
  /** Compares to the letter: an origin that differs in case, port, scheme or a dot is another one. */
  judge(origin: string | undefined): OriginVerdict;
  /** Headers that let the pages of an allowed origin read an answer. */
  readHeaders(origin: string): readonly string[];
  /** Headers that let the pages of an allowed origin send a request. */
  preflightHeaders(origin: string, methods: readonly Method[]): readonly string[];
}

const exposed = "RateLimit, RateLimit-Policy, Retry-After";
const requestHeaders = "authorization, content-type";
const preflightSeconds = "600";

/**
 * Compiles the cross-origin rules. Origins are those of the contract, to the letter; `null` is never one of them;
 * credentials are never allowed, since the API takes its authority from the `Authorization` header alone.
 *
 * @see WHATWG Fetch §3.2 (CORS protocol)
 */
export function createCors({ origin: own, corsOrigins }: Pick<Contract, "origin" | "corsOrigins">): Cors {
  const allowed = new Set(corsOrigins);
  const readable = new Map(
    corsOrigins.map((origin) => [
      origin,
      ["access-control-allow-origin", origin, "access-control-expose-headers", exposed],
    ]),
  );
  return {
    judge: (origin) =>
      origin === undefined || origin === own ? "own" : allowed.has(origin) ? "allowed" : "refused",
    readHeaders: (origin) => readable.get(origin) ?? [],
    preflightHeaders: (origin, methods) =>
      origin === own || allowed.has(origin)
        ? [
            "access-control-allow-origin",
            origin,
            "access-control-allow-methods",
            methods.join(", "),
            "access-control-allow-headers",
            requestHeaders,
            "access-control-max-age",
            preflightSeconds,
          ]
        : [],
  };
}
