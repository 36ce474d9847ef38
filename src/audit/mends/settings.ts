import { baseSecurityHeaders } from "../../contract/index.ts";
import type { Contract, ContractRoute } from "../../contract/index.ts";

/** What a mend writes into its code: the contract's own values, so that what is pasted says what was promised. */
export interface MendSettings {
  /** Header names and values for every answer, the policy first. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Other origins that may call. */
  readonly origins: readonly string[];
  readonly issuer: string;
  readonly keysUrl: string;
  readonly audience: string;
  readonly algorithms: readonly string[];
  readonly rolesClaim: string;
  readonly maxBodyBytes: number;
  readonly routes: readonly MendRoute[];
}

/** A route, as frameworks write it. */
export interface MendRoute {
  readonly method: string;
  /** With `:name` for parameters. */
  readonly path: string;
  /** Requests of one client at once, and how long until as many are allowed again. */
  readonly count: number;
  readonly windowMs: number;
}

/** Scripts from files of the site alone: inline ones have to move into files first. */
const strictPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; " +
  "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'; " +
  "require-trusted-types-for 'script'; trusted-types 'none'";

/** Where the contract names no issuer, there is something to be filled in. */
const noIdentity = {
  issuer: "https://login.example.com/",
  audience: "your-api",
  algorithms: ["RS256"],
  rolesClaim: "roles",
  jwksUrl: undefined,
};

/** Reads a contract for what mends need of it. */
export function mendSettings({
  corsOrigins,
  identity,
  routes,
}: Pick<Contract, "corsOrigins" | "identity" | "routes">): MendSettings {
  const { issuer, audience, algorithms, rolesClaim, jwksUrl } = identity ?? noIdentity;
  return {
    headers: [["content-security-policy", strictPolicy], ...baseSecurityHeaders],
    origins: [...corsOrigins],
    issuer,
    keysUrl: jwksUrl ?? `${issuer.replace(/\/$/, "")}/.well-known/jwks.json`,
    audience,
    algorithms,
    rolesClaim,
    maxBodyBytes: Math.max(
      1024,
      ...routes.filter(({ body }) => body !== undefined).map(({ maxBodyBytes }) => maxBodyBytes),
    ),
    routes: routes.map(routeOf),
  };
}

function routeOf({ method, path, limits }: ContractRoute): MendRoute {
  const tightest = limits
    .filter(({ by }) => by === "client")
    .toSorted((left, right) => left.burst - right.burst)[0];
  return {
    method,
    path,
    count: tightest?.burst ?? 60,
    windowMs:
      tightest === undefined ? 60_000 : (tightest.windowSeconds * 1000 * tightest.burst) / tightest.count,
  };
}

/** A value as JavaScript. */
export const js = (value: unknown): string => JSON.stringify(value);
