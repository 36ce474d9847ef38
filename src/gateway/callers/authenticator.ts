import type { ContractRoute } from "../../contract/index.ts";
import type { Refusal } from "../answers/refusal.ts";
import type { Caller, GatewayRequest } from "../types.ts";

/** What a credential tells: who calls, or why that is not known. */
export type Identified =
  | { readonly kind: "valid"; readonly caller: Caller }
  /** Whoever brings it is nobody, as if it were not there: refused only where somebody is needed. */
  | { readonly kind: "nobody"; readonly refusal: Refusal }
  | { readonly kind: "refused"; readonly refusal: Refusal };

/** Finds out who calls by one kind of credential. */
export interface Authenticator {
  /** What it is, for the log. */
  readonly name: string;
  /** What `WWW-Authenticate` says that may be brought (RFC 9110 §11.6.1). */
  readonly challenge: string;
  /** Whether it opens a route at all; one that it does not open never looks for it. */
  opens(route: ContractRoute): boolean;
  /** The credential of this kind that a request brings, as it came; undefined: none. */
  read(request: GatewayRequest): string | undefined;
  /** Says who that is: at once when it can, since most credentials were seen before. Never rejects. */
  verify(credential: string, request: GatewayRequest): Identified | Promise<Identified>;
}

/** Finds out who makes a request; undefined: it brings nothing that says so. */
export type Identify = (request: GatewayRequest) => Identified | Promise<Identified> | undefined;

/** How a route finds out who calls. */
export interface Authentication {
  readonly identify: Identify;
  /** For a request that brings nothing, where somebody is needed. */
  readonly missing: Refusal;
}

/**
 * Compiles which credentials a route takes. Two at once are refused: which of them counts is something that servers disagree on, and each
 * would lend the request what the other does not permit.
 *
 * @returns undefined if it takes none
 */
export function compileAuthentication(
  route: ContractRoute,
  authenticators: readonly Authenticator[],
): Authentication | undefined {
  const taken = authenticators.filter((one) => one.opens(route));
  const [only, second] = taken;
  if (only === undefined) return undefined;
  const challenge = taken.map((one) => one.challenge).join(", ");
  const missing: Refusal = { code: "GATEWAY_TOKEN_MISSING", headers: ["www-authenticate", challenge] };
  return { identify: second === undefined ? identifyBy(only) : identifyByOneOf(taken, challenge), missing };
}

const identifyBy =
  (only: Authenticator): Identify =>
  (request) => {
    const credential = only.read(request);
    return credential === undefined ? undefined : only.verify(credential, request);
  };

const identifyByOneOf =
  (taken: readonly Authenticator[], challenge: string): Identify =>
  (request) => {
    let brought: Authenticator | undefined;
    let credential = "";
    for (const one of taken) {
      const given = one.read(request);
      if (given === undefined) continue;
      if (brought !== undefined) return twoAtOnce(brought, one, challenge);
      brought = one;
      credential = given;
    }
    return brought?.verify(credential, request);
  };

const twoAtOnce = (one: Authenticator, other: Authenticator, challenge: string): Identified => ({
  kind: "refused",
  refusal: {
    code: "GATEWAY_TOKEN_INVALID",
    reason: `${one.name} and ${other.name} came together`,
    headers: ["www-authenticate", challenge],
  },
});
