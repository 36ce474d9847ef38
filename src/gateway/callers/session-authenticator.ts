import type { ContractSessions } from "../../contract/index.ts";
import { parseCookies } from "../input/cookies.ts";
import { mayActAsVisitor } from "../origins/cross-site.ts";
import type { TokenVerdict } from "../types.ts";
import type { Authenticator, Identified } from "./authenticator.ts";
import { asksWhoCalls } from "./routes-that-ask.ts";
import type { SessionVerifier } from "./session-verifier.ts";

/**
 * Sessions, by a cookie. A browser adds it to whatever any page makes it send, so a request counts as its visitor's only if the browser vouches
 * that a page of ours made it.
 *
 * @param origin the site's
 */
export function createSessionAuthenticator(
  sessions: SessionVerifier,
  { cookie }: ContractSessions,
  origin: string,
): Authenticator {
  const names = new Set([cookie]);
  const challenge = `Cookie cookie-name="${cookie}"`;

  const identified = (verdict: TokenVerdict): Identified => {
    if (verdict.kind === "valid") return verdict;
    const { kind, reason } = verdict;
    if (kind === "unavailable")
      return {
        kind: "refused",
        refusal: { code: "GATEWAY_SESSIONS_UNAVAILABLE", reason, headers: ["retry-after", "5"] },
      };
    // A browser goes on sending the cookie of a session that has ended; nobody chose to.
    return {
      kind: "nobody",
      refusal: { code: "GATEWAY_SESSION_INVALID", reason, headers: ["www-authenticate", challenge] },
    };
  };

  return {
    name: "a session",
    challenge,
    opens: asksWhoCalls,
    read(request) {
      const header = request.header("cookie");
      if (header === undefined || !header.includes(cookie)) return undefined;
      const values = parseCookies(header, names);
      // Twice, or malformed: something that no session is called.
      return values === undefined ? "" : values[cookie];
    },
    verify(id, request) {
      if (!mayActAsVisitor(origin, request))
        return { kind: "refused", refusal: { code: "GATEWAY_CROSS_SITE_REFUSED" } };
      if (id === "")
        return {
          kind: "refused",
          refusal: {
            code: "GATEWAY_SESSION_INVALID",
            reason: "the cookie stands twice, or is malformed",
            headers: ["www-authenticate", challenge],
          },
        };
      const verdict = sessions.verify(id);
      return verdict instanceof Promise ? verdict.then(identified) : identified(verdict);
    },
  };
}
