import type { Contract } from "../../contract/index.ts";
import type { TokenVerifier } from "../types.ts";
import type { ApiKeys } from "./api-keys.ts";
import type { Authenticator } from "./authenticator.ts";
import { createKeyAuthenticator } from "./key-authenticator.ts";
import { compileReadKey } from "./key-credentials.ts";
import { createSessionAuthenticator } from "./session-authenticator.ts";
import type { SessionVerifier } from "./session-verifier.ts";
import { createTokenAuthenticator } from "./token-authenticator.ts";

/** What finding out who calls is made of. */
export interface CallerOptions {
  readonly contract: Pick<Contract, "origin"> & Partial<Pick<Contract, "apiKeys" | "sessions">>;
  readonly tokens?: TokenVerifier | undefined;
  readonly apiKeys?: Pick<ApiKeys, "verify"> | undefined;
  readonly sessions?: SessionVerifier | undefined;
}

/**
 * Makes an authenticator for each kind of credential that a contract knows.
 *
 * @throws {Error} when the contract declares sessions, and nothing is given that finds them: a door that is drawn and not there
 */
export function createAuthenticators({
  contract,
  tokens,
  apiKeys,
  sessions,
}: CallerOptions): Authenticator[] {
  if (contract.sessions !== undefined && sessions === undefined)
    throw new Error("The contract declares sessions, and nothing is given that finds them");
  return [
    ...(tokens === undefined ? [] : [createTokenAuthenticator(tokens)]),
    ...(apiKeys === undefined || contract.apiKeys === undefined
      ? []
      : [createKeyAuthenticator(apiKeys, compileReadKey(contract.apiKeys))]),
    ...(sessions === undefined || contract.sessions === undefined
      ? []
      : [createSessionAuthenticator(sessions, contract.sessions, contract.origin)]),
  ];
}
