import { Agent, fetch } from "undici";
import * as client from "openid-client";
import { auditRedirectUri, clientIds, scope } from "./provider.ts";

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

const maxRedirects = 10;

/**
 * Gets an access token as a person would: begins at the authorization endpoint, fills in the sign-in form, follows the
 * redirects, and exchanges the code (with PKCE).
 *
 * @throws {Error} when the provider refuses, or its certificate is not the authority's.
 */
export async function getToken({
  issuer,
  ca,
  username,
  password,
  audience,
  clientId = clientIds.audit,
}: GetTokenOptions): Promise<string> {
  const dispatcher = new Agent({ connect: { ca } });
  try {
    const request = ((url: string, options: object) =>
      fetch(url, { ...options, dispatcher })) as unknown as client.CustomFetch;
    const configuration = await client.discovery(new URL(issuer), clientId, undefined, client.None(), {
      [client.customFetch]: request,
    });
    const codeVerifier = client.randomPKCECodeVerifier();
    const state = client.randomState();
    const start = client.buildAuthorizationUrl(configuration, {
      redirect_uri: auditRedirectUri,
      scope: `openid ${scope}`,
      resource: audience,
      code_challenge: await client.calculatePKCECodeChallenge(codeVerifier),
      code_challenge_method: "S256",
      state,
    });
    const end = await signIn(start, { username, password }, dispatcher);
    const tokens = await client.authorizationCodeGrant(
      configuration,
      end,
      { pkceCodeVerifier: codeVerifier, expectedState: state },
      { resource: audience },
    );
    return tokens.access_token;
  } finally {
    await dispatcher.close();
  }
}

/** Walks from the authorization endpoint to the redirect URI, through the form. */
async function signIn(
  start: URL,
  credentials: { username: string; password: string },
  dispatcher: Agent,
): Promise<URL> {
  const cookies = new Map<string, string>();
  const visit = async (
    url: URL,
    form?: URLSearchParams,
  ): Promise<{ status: number; next: URL | undefined }> => {
    const response = await fetch(url, {
      ...(form === undefined ? {} : { method: "POST", body: form }),
      headers: { accept: "text/html", cookie: [...cookies].map((pair) => pair.join("=")).join("; ") },
      redirect: "manual",
      dispatcher,
    });
    await response.arrayBuffer();
    for (const line of response.headers.getSetCookie()) keep(cookies, line);
    const location = response.headers.get("location");
    return { status: response.status, next: location === null ? undefined : new URL(location, url) };
  };

  let at = start;
  let form: URLSearchParams | undefined;
  for (let step = 0; step < maxRedirects; step += 1) {
    const { status, next } = await visit(at, form);
    if (next?.href.startsWith(`${auditRedirectUri}?`) === true) return next;
    if (next === undefined && (status !== 200 || form !== undefined))
      throw new Error(`The login refused ${credentials.username} with status ${status}.`);
    form = next === undefined ? new URLSearchParams(credentials) : undefined;
    at = next ?? at;
  }
  throw new Error("The login sends its visitors in circles.");
}

function keep(cookies: Map<string, string>, line: string): void {
  const [pair = ""] = line.split(";");
  const equals = pair.indexOf("=");
  const value = pair.slice(equals + 1);
  if (value === "") cookies.delete(pair.slice(0, equals));
  else cookies.set(pair.slice(0, equals), value);
}
