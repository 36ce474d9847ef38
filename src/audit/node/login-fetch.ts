import { CurtainwallError } from "../../shared/index.ts";
import { createFetch } from "./fetch.ts";
import type { BoundFetch } from "./fetch.ts";
import type { IssuerOptions } from "./token.ts";

/**
 * Makes the fetch of a login, for its pages and its endpoints: it asks the issuer's own origin and `loginOrigins`, and nobody else. Passwords,
 * codes and client secrets are what is sent, and a provider that was taken over, its discovery document or an open redirect of it may lead them anywhere.
 */
export function createLoginFetch({ issuer, loginOrigins = [], ca }: IssuerOptions): BoundFetch {
  const fetch = createFetch(ca);
  const origins = new Set([new URL(issuer).origin, ...loginOrigins]);
  return async (url, init) => {
    const { origin } = new URL(url);
    if (origins.has(origin)) return fetch(url, init);
    throw refused(
      `the login at ${issuer} leads to ${origin}, which the plan does not name, so nothing was sent there; ` +
        `if it is part of the login, write  loginOrigins: ["${origin}"]  beside the issuer`,
    );
  };
}

/** The error of an issuer that gives no token. */
export const refused = (message: string, cause?: unknown, hint?: string): CurtainwallError =>
  new CurtainwallError("AUDIT_TOKEN_REFUSED", message, {
    ...(cause === undefined ? {} : { cause }),
    ...(hint === undefined ? {} : { hint }),
  });
