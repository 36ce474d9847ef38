import { authorizationCode } from "curtainwall/audit";
import { auditRedirectUri, clientIds, scope } from "./clients.ts";

/** Options of {@link getToken}. */
export interface GetTokenOptions {
  issuer: string;
  /** The authority that signed the issuer's certificate, PEM. */
  ca: string;
  username: string;
  password: string;
  /** Which API the token is for: its `aud`. */
  audience: string;
  /** Default: the audit's client, whose tokens live ten minutes. */
  clientId?: string;
}

/**
 * Gets an access token as a person would: begins at the authorization endpoint, fills in the sign-in form, follows the
 * redirects, and exchanges the code (with PKCE).
 *
 * @throws {CurtainwallError} `AUDIT_TOKEN_REFUSED` when the provider refuses, or its certificate is not the authority's.
 */
export function getToken({
  audience,
  clientId = clientIds.audit,
  ...options
}: GetTokenOptions): Promise<string> {
  const source = authorizationCode({
    ...options,
    clientId,
    redirectUri: auditRedirectUri,
    resource: audience,
    scope: `openid ${scope}`,
  });
  return source();
}
