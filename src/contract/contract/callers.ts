import type { ServiceNetwork } from "../addresses/network.ts";
import type { DpopMode, TokenAlgorithm } from "../define/identity.ts";

/** Who issues access tokens; every default filled in. */
export interface Identity {
  readonly issuer: string;
  readonly audience: string;
  readonly jwksUrl: string | undefined;
  /** Where its addresses must lie. Undefined: as its names say. */
  readonly network?: ServiceNetwork | undefined;
  readonly algorithms: readonly TokenAlgorithm[];
  readonly rolesClaim: string;
  /** Undefined: no token names a tenant. */
  readonly tenantClaim?: string | undefined;
  readonly clockToleranceSeconds: number;
  /** Whether tokens come with proofs of possession. Undefined: one that is bound to a key is refused. */
  readonly dpop?: DpopMode | undefined;
  readonly caFile: string | undefined;
}

/** How signed-in visitors' sessions come; every default filled in. */
export interface ContractSessions {
  /** The cookie's name; begins with `__Host-`. */
  readonly cookie: string;
}

/** Where API keys are, and how they come; every default filled in. */
export interface ContractApiKeys {
  /** Relative to the contract. */
  readonly file: string;
  readonly header: "authorization" | "x-api-key";
}
