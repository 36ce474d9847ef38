import { createHash, randomBytes } from "node:crypto";
import { apiAudience } from "../settings.ts";
import { clientIds, scope } from "./clients.ts";

/**
 * Where a sign-in for the site begins: an authorization request with PKCE. The site is static and has no use for a token yet, so the
 * verifier is thrown away, and the code that comes back can't be exchanged by anybody.
 */
export function beginAddress(siteOrigin: string): string {
  const random = (): string => randomBytes(32).toString("base64url");
  const parameters = new URLSearchParams({
    client_id: clientIds.site,
    response_type: "code",
    scope: `openid ${scope}`,
    redirect_uri: `${siteOrigin}/signed-in/`,
    resource: apiAudience,
    code_challenge: createHash("sha256").update(random()).digest("base64url"),
    code_challenge_method: "S256",
    state: random(),
  });
  return `/auth?${parameters.toString()}`;
}
