import type { Contract, DpopMode } from "../../contract/index.ts";
import type { TokenVerifier } from "../types.ts";
import type { ApiKeys } from "./api-keys.ts";
import type { Authenticator } from "./authenticator.ts";
import { createDpopAuthenticator } from "./dpop/dpop-authenticator.ts";
import type { ProofVerifier } from "./dpop/proof-verifier.ts";
import { createKeyAuthenticator } from "./key-authenticator.ts";
import { compileReadKey } from "./key-credentials.ts";
import { createSessionAuthenticator } from "./session-authenticator.ts";
import type { SessionVerifier } from "./session-verifier.ts";
import { createTokenAuthenticator } from "./token-authenticator.ts";

/** What finding out who calls is made of. */
export interface CallerOptions {
  readonly contract: Pick<Contract, "origin"> & Partial<Pick<Contract, "apiKeys" | "identity" | "sessions">>;
  readonly tokens?: TokenVerifier | undefined;
  /** Required as soon as the contract's identity has `dpop`. */
  readonly proofs?: ProofVerifier | undefined;
  readonly apiKeys?: Pick<ApiKeys, "verify"> | undefined;
  readonly sessions?: SessionVerifier | undefined;
}

/**
 * Makes an authenticator for each kind of credential that a contract knows.
 *
 * @throws {Error} when the contract declares sessions or proofs, and nothing is given that checks them: a door that is drawn and not there
 */
export function createAuthenticators({
  contract,
  tokens,
  proofs,
  apiKeys,
  sessions,
}: CallerOptions): Authenticator[] {
  if (contract.sessions !== undefined && sessions === undefined)
    throw new Error("The contract declares sessions, and nothing is given that finds them");
  return [
    ...(tokens === undefined ? [] : [byToken(tokens, proofs, contract.identity?.dpop)]),
    ...(apiKeys === undefined || contract.apiKeys === undefined
      ? []
      : [createKeyAuthenticator(apiKeys, compileReadKey(contract.apiKeys))]),
    ...(sessions === undefined || contract.sessions === undefined
      ? []
      : [createSessionAuthenticator(sessions, contract.sessions, contract.origin)]),
  ];
}

function byToken(
  tokens: TokenVerifier,
  proofs: ProofVerifier | undefined,
  dpop: DpopMode | undefined,
): Authenticator {
  if (dpop === undefined) return createTokenAuthenticator(tokens);
  if (proofs === undefined)
    throw new Error("The contract asks for proofs of possession, and nothing is given that checks them");
  return createDpopAuthenticator(tokens, proofs, dpop);
}
