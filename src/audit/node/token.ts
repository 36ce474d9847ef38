import {
  authorizationCodeGrant,
  buildAuthorizationUrl,
  calculatePKCECodeChallenge,
  clientCredentialsGrant,
  ClientSecretBasic,
  customFetch,
  discovery,
  None,
  randomNonce,
  randomPKCECodeVerifier,
  randomState,
} from "openid-client";
import type { Configuration } from "openid-client";
import { isLoopbackHost } from "../../contract/index.ts";
import { isCurtainwallError } from "../../shared/index.ts";
import { printable } from "../evidence.ts";
import { invalidPlan } from "../plan/plan-problems.ts";
import type { TokenSource } from "../plan/plan.ts";
import { createLoginFetch, refused } from "./login-fetch.ts";
import { followLogin } from "./login-walk.ts";

/** What every way of getting a token needs. */
export interface IssuerOptions {
  /** The issuer's identifier; its discovery document says the rest. Must be https. */
  issuer: string;
  clientId: string;
  /** The API that the token is for (RFC 8707). */
  resource?: string;
  /** Space-separated. Default: `openid` for a person, none for a client. */
  scope?: string;
  /**
   * Other origins that take part, where an issuer has people sign in or its tokens asked for elsewhere: `["https://sso.example.com"]`. Default: none; the
   * issuer's own origin alone is asked for anything, and no password, code or secret is sent to any other, whatever its discovery document says.
   */
  loginOrigins?: readonly string[];
  /** PEM: the authority that signed the issuer's certificate. Default: the system's. */
  ca?: string;
}

/** Options of {@link authorizationCode}. */
export interface AuthorizationCodeOptions extends IssuerOptions {
  /** Where the provider sends the browser back to; registered with it. Nothing needs to listen there. */
  redirectUri: string;
  username: string;
  password: string;
  /** For a confidential client. Default: a public one. */
  clientSecret?: string;
}

/** Options of {@link clientCredentials}. */
export interface ClientCredentialsOptions extends IssuerOptions {
  clientSecret: string;
}

/**
 * A token source that signs a person in as a browser without JavaScript would: authorization code with PKCE, the provider's
 * own pages, its cookies and its forms. Nothing is asked for but at the issuer's origin and `loginOrigins`, and a form is sent to no origin but its own.
 *
 * @throws {CurtainwallError} `AUDIT_PLAN_INVALID` at once, when an entry of `loginOrigins` is no origin, https or of this machine.
 * @throws {CurtainwallError} `AUDIT_TOKEN_REFUSED`, from the source, when the provider refuses or its pages can't be followed.
 * @see RFC 6749 §4.1, RFC 7636, RFC 8707
 */
export function authorizationCode(options: AuthorizationCodeOptions): TokenSource {
  assertOrigins(options);
  return () => refusing(options, () => signIn(options));
}

/**
 * A token source for a client that acts in its own name. Nothing is sent but to the issuer's origin and `loginOrigins`.
 *
 * @throws {CurtainwallError} `AUDIT_PLAN_INVALID` at once, when an entry of `loginOrigins` is no origin, https or of this machine.
 * @throws {CurtainwallError} `AUDIT_TOKEN_REFUSED`, from the source, when the provider refuses.
 * @see RFC 6749 §4.4
 */
export function clientCredentials(options: ClientCredentialsOptions): TokenSource {
  assertOrigins(options);
  return () =>
    refusing(options, async () => {
      const config = await configure(options, options.clientSecret);
      const answer = await clientCredentialsGrant(config, parameters(options));
      return answer.access_token;
    });
}

function assertOrigins({ loginOrigins = [] }: IssuerOptions): void {
  const wrong = loginOrigins.filter((origin) => !isLoginOrigin(origin));
  if (wrong.length > 0)
    throw invalidPlan(
      wrong.map(
        (given) =>
          `loginOrigins has ${JSON.stringify(given)}: write an origin, like "https://sso.example.com"`,
      ),
    );
}

function isLoginOrigin(given: string): boolean {
  const url = URL.parse(given);
  if (url === null || url.origin !== given) return false;
  return url.protocol === "https:" || (url.protocol === "http:" && isLoopbackHost(url.hostname));
}

async function refusing(options: IssuerOptions, work: () => Promise<string>): Promise<string> {
  try {
    return await work();
  } catch (error) {
    // What our own fetch throws comes wrapped by the library.
    const own = [error, (error as Error).cause].find((one) => isCurtainwallError(one, "AUDIT_TOKEN_REFUSED"));
    throw own ?? refused(`${options.issuer} gave no token: ${reason(error)}`, error);
  }
}

/** The innermost message of an error, where the cause stands that somebody can act on. */
function reason(error: unknown): string {
  const {
    error_description: description,
    cause,
    code,
  } = error as { error_description?: string; cause?: unknown; code?: string };
  if (description !== undefined) return printable(description, 200);
  if (cause instanceof Error) return reason(cause);
  return printable(
    error instanceof Error ? `${error.message}${code === undefined ? "" : ` (${code})`}` : String(error),
    200,
  );
}

function configure(options: IssuerOptions, secret: string | undefined): Promise<Configuration> {
  const fetch = createLoginFetch(options);
  return discovery(
    new URL(options.issuer),
    options.clientId,
    undefined,
    secret === undefined ? None() : ClientSecretBasic(secret),
    {
      [customFetch]: (url, init) => fetch(url, init as RequestInit),
      timeout: 10,
    },
  );
}

function parameters({ resource, scope }: IssuerOptions): Record<string, string> {
  return { ...(resource === undefined ? {} : { resource }), ...(scope === undefined ? {} : { scope }) };
}

async function signIn(options: AuthorizationCodeOptions): Promise<string> {
  const config = await configure(options, options.clientSecret);
  const verifier = randomPKCECodeVerifier();
  const state = randomState();
  const nonce = randomNonce();
  const start = buildAuthorizationUrl(config, {
    scope: "openid",
    ...parameters(options),
    redirect_uri: options.redirectUri,
    code_challenge: await calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    state,
    nonce,
  });
  const back = await followLogin(start, options);
  const answer = await authorizationCodeGrant(
    config,
    back,
    { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce },
    options.resource === undefined ? {} : { resource: options.resource },
  );
  return answer.access_token;
}
