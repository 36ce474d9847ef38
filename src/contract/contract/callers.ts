import type { TokenAlgorithm } from "../define/identity.ts";

/** Who issues access tokens; every default filled in. */
export interface Identity {
  readonly issuer: string;
  readonly audience: string;
  readonly jwksUrl: string | undefined;
  readonly algorithms: readonly TokenAlgorithm[];
  readonly rolesClaim: string;
  /** Undefined: no token names a tenant. */
  readonly tenantClaim?: string | undefined;
  readonly clockToleranceSeconds: number;
  readonly caFile: string | undefined;
}

/** Where API keys are, and how they come; every default filled in. */
export interface ContractApiKeys {
  /** Relative to the contract. */
  readonly file: string;
  readonly header: "authorization" | "x-api-key";
}
