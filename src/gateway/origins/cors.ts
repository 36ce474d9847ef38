import type { Contract, ContractRoute, Method } from "../../contract/index.ts";
import { createNameIndex } from "../../shared/index.ts";
import type { GatewayRequest } from "../types.ts";

/** Whose page a request comes from: ours or nobody's, one of a declared origin, or another. */
export type OriginVerdict = "own" | "allowed" | "refused";

type RequestHeaders = Pick<GatewayRequest, "header">;

/** Cross-origin rules of a contract. */
export interface Cors {
  /** Compares to the letter: an origin that differs in case, port, scheme or a dot is another one. */
  judge(request: RequestHeaders): OriginVerdict;
  /** Headers that let the pages of an allowed origin read an answer; `exposed` are those of the route. */
  readHeaders(origin: string, exposed?: readonly string[]): readonly string[];
  /**
   * Headers that let the pages of an allowed origin send a request.
   *
   * @param route the one that the preflight asks about; undefined if its method is not offered
   */
  preflightHeaders(
    origin: string,
    methods: readonly Method[],
    route: Pick<ContractRoute, "headers"> | undefined,
  ): readonly string[];
}

const alwaysExposed = ["RateLimit", "RateLimit-Policy", "Retry-After"];
const alwaysTaken = ["authorization", "content-type"];
const preflightSeconds = "600";

/**
 * Compiles the cross-origin rules. Origins are those of the contract, to the letter; credentials are never allowed for
 * them. `null` is none of them: it stands for any page that hides where it is from, a sandboxed frame's for one. Only where the
 * browser itself says that a page is ours (`Sec-Fetch-Site`, which no page can set) is it taken for our own: a form
 * under `Referrer-Policy: no-referrer` is sent so.
 *
 * @see WHATWG Fetch §3.2 (CORS protocol), Fetch Metadata §2.3
 */
export function createCors({
  origin: own,
  corsOrigins,
  identity,
}: Pick<Contract, "origin" | "corsOrigins"> & Partial<Pick<Contract, "identity">>): Cors {
  const placeOf = createNameIndex(corsOrigins);
  // What a client of another origin needs to prove that it has its key, and to be told why that failed (RFC 9449 §7.1).
  const proofs = identity?.dpop === undefined ? [] : ["dpop"];
  const challenges = identity?.dpop === undefined ? [] : ["WWW-Authenticate"];

  function judge(request: RequestHeaders): OriginVerdict {
    const origin = request.header("origin");
    if (origin === undefined || origin === own) return "own";
    if (origin === "null" && request.header("sec-fetch-site") === "same-origin") return "own";
    return placeOf(origin) >= 0 ? "allowed" : "refused";
  }

  return {
    judge,
    readHeaders: (origin, exposed = []) =>
      placeOf(origin) >= 0
        ? [
            "access-control-allow-origin",
            origin,
            "access-control-expose-headers",
            [...alwaysExposed, ...challenges, ...exposed].join(", "),
          ]
        : [],
    preflightHeaders: (origin, methods, route) =>
      origin === own || placeOf(origin) >= 0
        ? [
            "access-control-allow-origin",
            origin,
            "access-control-allow-methods",
            methods.join(", "),
            "access-control-allow-headers",
            [...alwaysTaken, ...proofs, ...headerNames(route)].join(", "),
            "access-control-max-age",
            preflightSeconds,
          ]
        : [],
  };
}

/** The request headers that a route declares. */
function headerNames(route: Pick<ContractRoute, "headers"> | undefined): readonly string[] {
  const def = route?.headers?._zod.def as { shape?: object } | undefined;
  return Object.keys(def?.shape ?? {}).filter((name) => !alwaysTaken.includes(name));
}
