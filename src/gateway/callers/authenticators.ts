import type { Contract } from "../../contract/index.ts";
import type { TokenVerifier } from "../types.ts";
import type { ApiKeys } from "./api-keys.ts";
import type { Authenticator } from "./authenticator.ts";
import { createKeyAuthenticator } from "./key-authenticator.ts";
import { compileReadKey } from "./key-credentials.ts";
import { createTokenAuthenticator } from "./token-authenticator.ts";

/** What finding out who calls is made of. */
export interface CallerOptions {
  readonly contract: Partial<Pick<Contract, "apiKeys">>;
  readonly tokens?: TokenVerifier | undefined;
  readonly apiKeys?: Pick<ApiKeys, "verify"> | undefined;
}

/** Makes an authenticator for each kind of credential that a contract knows. */
export function createAuthenticators({ contract, tokens, apiKeys }: CallerOptions): Authenticator[] {
  return [
    ...(tokens === undefined ? [] : [createTokenAuthenticator(tokens)]),
    ...(apiKeys === undefined || contract.apiKeys === undefined
      ? []
      : [createKeyAuthenticator(apiKeys, compileReadKey(contract.apiKeys))]),
  ];
}
