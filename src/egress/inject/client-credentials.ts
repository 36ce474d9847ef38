import type { ClientCredentialsOptions } from "../../contract/index.ts";
import { parseJsonBody, revealSecret, toBase64 } from "../../shared/index.ts";
import type { Secret } from "../../shared/index.ts";
import { Refused } from "../errors.ts";
import type { Outgoing } from "./outgoing.ts";
import { splitValue } from "./plain.ts";

/** What a token endpoint answered. */
export interface TokenAnswer {
  readonly status: number;
  readonly body: Uint8Array;
}

/** Sends one request to a token endpoint, under the policy of its origin. Throws {@link Refused}. */
export type AskForToken = (request: Outgoing) => Promise<TokenAnswer>;

/** Options of {@link createTokenKeeper}. */
export interface TokenKeeperOptions {
  options: ClientCredentialsOptions;
  ask: AskForToken;
  /** Milliseconds that only grow, whatever the clock does. */
  elapsed: () => number;
}

/** The access tokens of one secret's values. */
export interface TokenKeeper {
  /** One that still counts, or a new one. All who wait for a new one wait for the same. */
  token(secret: Secret): Promise<AccessToken>;
  /** The service didn't take it. */
  reject(secret: Secret, token: AccessToken): void;
}

/** An access token, and how long it counts here. */
export interface AccessToken {
  readonly text: string;
  readonly until: number;
}

const defaultSeconds = 300;
const longestSeconds = 86_400;
/** What is about to run out would do so on its way. */
const skewShare = 0.1;
const mostSkewSeconds = 60;
/** A client that asks again and again with a wrong secret is locked out by many. */
const coolDownMs = 2000;
const tokenForm = /^[\x21-\x7e]{1,8192}$/;

/** Has access tokens with a secret, and keeps each while it counts (RFC 6749 §4.4). They are forgotten with the value. */
export function createTokenKeeper({ options, ask, elapsed }: TokenKeeperOptions): TokenKeeper {
  const kept = new WeakMap<Secret, Promise<AccessToken>>();
  const settled = new WeakMap<Promise<AccessToken>, AccessToken>();
  const failedAt = new WeakMap<Promise<AccessToken>, number>();

  function renew(secret: Secret): Promise<AccessToken> {
    const asked = fetchToken(options, ask, secret, elapsed);
    kept.set(secret, asked);
    asked.then(
      (token) => settled.set(asked, token),
      () => failedAt.set(asked, elapsed()),
    );
    return asked;
  }

  return {
    token(secret) {
      const known = kept.get(secret);
      if (known === undefined) return renew(secret);
      const failed = failedAt.get(known);
      if (failed !== undefined) return elapsed() - failed < coolDownMs ? known : renew(secret);
      const token = settled.get(known);
      return token === undefined || token.until > elapsed() ? known : renew(secret);
    },
    reject(secret, token) {
      const known = kept.get(secret);
      // Somebody else may have had a newer one meanwhile.
      if (known !== undefined && settled.get(known) === token) kept.delete(secret);
    },
  };
}

async function fetchToken(
  options: ClientCredentialsOptions,
  ask: AskForToken,
  secret: Secret,
  elapsed: () => number,
): Promise<AccessToken> {
  const asked = elapsed();
  const { status, body } = await ask(tokenRequest(options, secret));
  if (status !== 200) throw refused(`the token endpoint answered ${status}`);
  const { value } = parseJsonBody(body);
  if (typeof value !== "object" || value === null) throw refused("the token endpoint's answer can't be read");
  const { access_token: text, token_type: type, expires_in: seconds } = value as Record<string, unknown>;
  if (typeof text !== "string" || !tokenForm.test(text))
    throw refused("the token endpoint's answer has no token");
  if (typeof type !== "string" || type.toLowerCase() !== "bearer")
    throw refused("the token is no bearer token");
  return { text, until: asked + 1000 * usableSeconds(seconds) };
}

const refused = (reason: string): Refused => new Refused("EGRESS_TOKEN_REFUSED", reason);

function usableSeconds(given: unknown): number {
  const seconds = typeof given === "number" && given >= 0 ? Math.min(given, longestSeconds) : defaultSeconds;
  return seconds - Math.min(mostSkewSeconds, seconds * skewShare);
}

function tokenRequest(options: ClientCredentialsOptions, secret: Secret): Outgoing {
  const { tokenUrl, scope, audience, authentication = "basic" } = options;
  const url = new URL(tokenUrl);
  const [id, key] = splitValue(revealSecret(secret));
  const form = new URLSearchParams({ grant_type: "client_credentials" });
  if (scope !== undefined) form.set("scope", scope);
  if (audience !== undefined) form.set("audience", audience);
  const headers = new Map([
    ["accept", "application/json"],
    ["content-type", "application/x-www-form-urlencoded"],
  ]);
  if (authentication === "post") {
    form.set("client_id", id);
    form.set("client_secret", key);
  } else
    headers.set("authorization", `Basic ${toBase64(encoder.encode(`${formText(id)}:${formText(key)}`))}`);
  return {
    method: "POST",
    origin: url.origin,
    path: url.pathname,
    query: url.search.slice(1),
    headers,
    body: encoder.encode(form.toString()),
  };
}

const encoder = new TextEncoder();

/** As a form writes it (RFC 6749 §2.3.1). */
const formText = (text: string): string => new URLSearchParams({ "": text }).toString().slice(1);
