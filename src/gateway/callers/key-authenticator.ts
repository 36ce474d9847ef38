import { keyAccess } from "../../contract/index.ts";
import type { Authenticator } from "./authenticator.ts";
import type { ApiKeys } from "./api-keys.ts";
import type { ReadKey } from "./key-credentials.ts";
import { refuseToken } from "./token-authenticator.ts";

/** API keys, on routes that ask for a scope. */
export function createKeyAuthenticator(keys: Pick<ApiKeys, "verify">, read: ReadKey): Authenticator {
  return {
    name: "an API key",
    challenge: "ApiKey",
    opens: ({ access }) => keyAccess(access) !== undefined,
    read,
    verify(key) {
      const verdict = keys.verify(key);
      return verdict.kind === "valid" ? verdict : refuseToken(verdict, 'ApiKey error="invalid_token"');
    },
  };
}
