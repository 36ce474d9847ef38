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
import { CurtainwallError, isCurtainwallError } from "../../shared/index.ts";
import { createCookieJar } from "../cookies.ts";
import type { CookieJar } from "../cookies.ts";
import { printable } from "../evidence.ts";
import { chooseForm, fillForm, findForms } from "../login-form.ts";
import type { TokenSource } from "../plan.ts";
import { isLoopbackHost } from "../../contract/index.ts";
import { createFetch } from "./fetch.ts";
import type { BoundFetch } from "./fetch.ts";

/** What every way of getting a token needs. */
interface IssuerOptions {
  /** The issuer's identifier; its discovery document says the rest. Must be https. */
  issuer: string;
  clientId: string;
  /** The API that the token is for (RFC 8707). */
  resource?: string;
  /** Space-separated. Default: `openid` for a person, none for a client. */
  scope?: string;
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
 * own pages, its cookies and its forms. A password goes only to the origin that the form was served from, over https or loopback.
 *
 * @throws {CurtainwallError} `AUDIT_TOKEN_REFUSED`, from the source, when the provider refuses or its pages can't be followed.
 * @see RFC 6749 §4.1, RFC 7636, RFC 8707
 */
export function authorizationCode(options: AuthorizationCodeOptions): TokenSource {
  return () => refusing(options, () => signIn(options));
}

/**
 * A token source for a client that acts in its own name.
 *
 * @throws {CurtainwallError} `AUDIT_TOKEN_REFUSED`, from the source, when the provider refuses.
 * @see RFC 6749 §4.4
 */
export function clientCredentials(options: ClientCredentialsOptions): TokenSource {
  return () =>
    refusing(options, async () => {
      const config = await configure(options, options.clientSecret);
      const answer = await clientCredentialsGrant(config, parameters(options));
      return answer.access_token;
    });
}

async function refusing(options: IssuerOptions, work: () => Promise<string>): Promise<string> {
  try {
    return await work();
  } catch (error) {
    if (isCurtainwallError(error)) throw error;
    throw refused(`${options.issuer} gave no token: ${reason(error)}`, error);
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

const refused = (message: string, cause?: unknown, hint?: string): CurtainwallError =>
  new CurtainwallError("AUDIT_TOKEN_REFUSED", message, {
    ...(cause === undefined ? {} : { cause }),
    ...(hint === undefined ? {} : { hint }),
  });

function configure(
  { issuer, clientId, ca }: IssuerOptions,
  secret: string | undefined,
): Promise<Configuration> {
  const fetch = createFetch(ca);
  return discovery(
    new URL(issuer),
    clientId,
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
  const back = await browse(start, options);
  const answer = await authorizationCodeGrant(
    config,
    back,
    { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce },
    options.resource === undefined ? {} : { resource: options.resource },
  );
  return answer.access_token;
}

const maxSteps = 20;
const maxPageLength = 500_000;

interface Step {
  url: URL;
  form?: { body: URLSearchParams; origin: string };
}

/** Follows the provider's pages until it sends us back to the redirect URI. */
async function browse(start: URL, options: AuthorizationCodeOptions): Promise<URL> {
  const fetch = createFetch(options.ca);
  const jar = createCookieJar();
  let step: Step = { url: start };
  let passwordsSent = 0;
  for (let count = 0; count < maxSteps; count++) {
    assertPrivate(step.url);
    const response = await take(fetch, jar, step);
    const location = response.headers.get("location");
    if (location !== null && response.status >= 300 && response.status < 400) {
      await response.body?.cancel();
      const url = new URL(location, step.url);
      if (isBack(url, options.redirectUri)) return url;
      step = { url };
      continue;
    }
    const form = chooseForm(findForms((await response.text()).slice(0, maxPageLength)));
    if (form === undefined) {
      throw refused(
        `${step.url.origin}${step.url.pathname} answered ${response.status} without a form to go on with`,
        undefined,
        "A login that needs JavaScript, a passkey or a second factor can't be followed: give the audit client a login that doesn't, or write a token source of your own.",
      );
    }
    if (form.asksForPassword && ++passwordsSent > 1)
      throw refused(
        `the login at ${step.url.origin} asked for the password of ${options.username} again: was it wrong?`,
      );
    step = submit(step.url, form, options);
  }
  throw refused(`the login at ${start.origin} did not end within ${maxSteps} pages`);
}

function submit(
  page: URL,
  form: NonNullable<ReturnType<typeof chooseForm>>,
  options: AuthorizationCodeOptions,
): Step {
  const url = new URL(form.action, page);
  if (url.origin !== page.origin)
    throw refused(`a form of ${page.origin} wants to send what is typed to ${url.origin}`);
  const body = fillForm(form, options);
  if (form.method === "POST") return { url, form: { body, origin: page.origin } };
  url.search = body.toString();
  if (form.asksForPassword)
    throw refused(`the login form at ${page.origin} would put the password into an address`);
  return { url };
}

async function take(fetch: BoundFetch, jar: CookieJar, { url, form }: Step): Promise<Response> {
  const cookie = jar.header(url);
  const response = await fetch(url.href, {
    method: form === undefined ? "GET" : "POST",
    headers: {
      accept: "text/html",
      ...(cookie === undefined ? {} : { cookie }),
      ...(form === undefined
        ? {}
        : { "content-type": "application/x-www-form-urlencoded", origin: form.origin }),
    },
    ...(form === undefined ? {} : { body: form.body.toString() }),
  });
  jar.store(url, response.headers.getSetCookie());
  return response;
}

function assertPrivate(url: URL): void {
  if (url.protocol === "https:" || (url.protocol === "http:" && isLoopbackHost(url.hostname))) return;
  throw refused(`the login leads to ${url.origin}, which is not https`);
}

function isBack(url: URL, redirectUri: string): boolean {
  const expected = new URL(redirectUri);
  return url.origin === expected.origin && url.pathname === expected.pathname;
}
