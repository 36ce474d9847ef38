import type { Refusal } from "../answers/refusal.ts";
import type { TokenVerdict, TokenVerifier } from "../types.ts";
import type { Authenticator, Identified } from "./authenticator.ts";
import { asksWhoCalls } from "./routes-that-ask.ts";

/** Access tokens, as `Authorization: Bearer …` (RFC 6750 §2.1). */
export function createTokenAuthenticator(tokens: TokenVerifier): Authenticator {
  return {
    name: "an access token",
    challenge: "Bearer",
    opens: asksWhoCalls,
    read: (request) => bearerToken(request.header("authorization")),
    verify(token, request) {
      const verdict = tokens.verify(token, request.connection);
      return verdict instanceof Promise ? verdict.then(identified, unchecked) : identified(verdict);
    },
  };
}

const scheme = /^Bearer ./i;

/** The token of an `Authorization` header; undefined if there is none. */
function bearerToken(header: string | undefined): string | undefined {
  if (header === undefined || !(header.startsWith("Bearer ") || scheme.test(header))) return undefined;
  return header.length > "Bearer ".length ? header.slice("Bearer ".length) : undefined;
}

const identified = (verdict: TokenVerdict): Identified =>
  verdict.kind === "valid" ? verdict : refuseToken(verdict, 'Bearer error="invalid_token"');

/** What an access token that is none is answered with. */
export function refuseToken(
  { kind, reason }: Exclude<TokenVerdict, { kind: "valid" }>,
  challenge: string,
): Identified {
  const refusal: Refusal =
    kind === "unavailable"
      ? { code: "GATEWAY_KEYS_UNAVAILABLE", reason, headers: ["retry-after", "5"] }
      : { code: "GATEWAY_TOKEN_INVALID", reason, headers: ["www-authenticate", challenge] };
  return { kind: "refused", refusal };
}

/** For a check that broke. */
const unchecked = (): Identified => ({
  kind: "refused",
  refusal: { code: "GATEWAY_FAILED", reason: "who calls could not be checked" },
});
