import { errors, jwtVerify } from "jose";
import type { JWTVerifyGetKey } from "jose";
import { longestRememberedSeconds } from "../../contract/index.ts";
import type { Identity } from "../../contract/index.ts";
import type { TokenVerdict, TokenVerifier } from "../types.ts";
import type { Revocations } from "./revocations.ts";
import { readClaims } from "./token-claims.ts";
import type { TokenClaims } from "./token-claims.ts";
import { findFormFault } from "./token-form.ts";

/** The issuer's public keys at one moment. */
export interface IssuerKeys {
  /** Changes whenever the keys do, so that what was verified with old keys is verified again. */
  readonly epoch: number;
  readonly find: JWTVerifyGetKey;
}

/** Where the issuer's keys come from. */
export interface KeySource {
  /** The keys, if there are any; asks for them in the background when they are missing or old. */
  current(): IssuerKeys | undefined;
  /** Asks the issuer again because a token names a key that is not among them; bounded in how often. */
  refresh(): Promise<IssuerKeys | undefined>;
}

/** Options of {@link createTokenVerifier}. */
export interface TokenVerifierOptions {
  identity: Pick<
    Identity,
    "issuer" | "audience" | "algorithms" | "rolesClaim" | "tenantClaim" | "clockToleranceSeconds" | "dpop"
  >;
  keys: KeySource;
  /** Whose tokens do not count any more. Default: nobody's, so that a token counts until it expires. */
  revocations?: Pick<Revocations, "epoch" | "issuedUntil"> | undefined;
  /** SHA-256, base64url: the cache holds no tokens, and a proof of possession names one by it. */
  digest: (token: string) => string;
  /** Verified tokens remembered; the oldest is forgotten first. Default 10 000. */
  maxCached?: number;
  /** The present in milliseconds since 1970. Default `Date.now`. */
  now?: () => number;
}

interface VerifiedToken extends TokenClaims {
  readonly verdict: TokenVerdict & { kind: "valid" };
  readonly epoch: number;
  /** That of the revocations which it has passed. */
  revocationEpoch: number;
}

/** Longer ones are refused unread: a signature check over megabytes is a lever for denial of service. */
const maxTokenLength = 8192;

const invalid = (reason: string): TokenVerdict => ({ kind: "invalid", reason });

/**
 * Verifies JWT access tokens: signature by one of the issuer's keys with one of the pinned algorithms, `typ` at+jwt,
 * issuer, audience, times, revocation. A verified token is remembered by its digest; its times, the keys' epoch and that of
 * the revocations are checked on every use, and a refusal is never remembered as anything. A connection's last token is compared with its next, while it
 * lasts: a digest costs more than all other checks of a request together.
 *
 * @see RFC 9068 §4 (access tokens), RFC 8725 §3 (best current practices)
 */
export function createTokenVerifier({
  identity,
  keys,
  revocations,
  digest,
  maxCached = 10_000,
  now = Date.now,
}: TokenVerifierOptions): TokenVerifier {
  const cache = new Map<string, VerifiedToken>();
  const pending = new Map<string, Promise<TokenVerdict>>();
  const lastOf = new WeakMap<object, { readonly token: string; readonly known: VerifiedToken }>();
  const toleranceMs = identity.clockToleranceSeconds * 1000;
  const rules = {
    issuer: identity.issuer,
    audience: identity.audience,
    algorithms: [...identity.algorithms],
    typ: "at+jwt",
    requiredClaims: ["iss", "aud", "sub", "exp", "iat"],
    clockTolerance: identity.clockToleranceSeconds,
  };

  /** Whether its subject's tokens of its age still count. The epoch is read first: what is revoked meanwhile is found the next time. */
  const isRevoked = ({ caller, issuedAt }: TokenClaims): boolean =>
    revocations !== undefined && issuedAt <= revocations.issuedUntil(caller.subject);

  function standsSince(token: VerifiedToken): boolean {
    const epoch = revocations?.epoch() ?? 0;
    if (token.revocationEpoch === epoch) return true;
    if (isRevoked(token)) return false;
    token.revocationEpoch = epoch;
    return true;
  }

  const isCurrent = (token: VerifiedToken, { epoch }: IssuerKeys): boolean => {
    const time = now();
    return (
      token.epoch === epoch &&
      time < token.expiresMs + toleranceMs &&
      time >= token.notBeforeMs - toleranceMs &&
      (revocations === undefined || standsSince(token))
    );
  };

  async function check(token: string, key: string, issuerKeys: IssuerKeys): Promise<TokenVerdict> {
    let used = issuerKeys;
    try {
      let result;
      try {
        result = await jwtVerify(token, used.find, { ...rules, currentDate: new Date(now()) });
      } catch (error) {
        if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
        const newer = await keys.refresh();
        if (newer === undefined || newer.epoch === used.epoch) throw error;
        used = newer;
        result = await jwtVerify(token, used.find, { ...rules, currentDate: new Date(now()) });
      }
      const claims = readClaims(result.payload, identity, now());
      if (typeof claims === "string") return invalid(claims);
      const revocationEpoch = revocations?.epoch() ?? 0;
      if (isRevoked(claims)) return invalid("it was revoked");
      if (revocations !== undefined && claims.issuedAt < now() / 1000 - longestRememberedSeconds)
        return invalid("it is older than revocations are remembered");
      const { caller, thumbprint } = claims;
      const verdict = {
        kind: "valid",
        caller,
        ...(thumbprint === undefined ? {} : { bound: { thumbprint, tokenDigest: key } }),
      } as const;
      if (cache.size >= maxCached) cache.delete(cache.keys().next().value ?? "");
      cache.set(key, { ...claims, verdict, epoch: used.epoch, revocationEpoch });
      return verdict;
    } catch (error) {
      return invalid(reasonOf(error));
    }
  }

  return {
    verify(token, connection) {
      if (token.length > maxTokenLength) return invalid("the token is too long");
      const issuerKeys = keys.current();
      if (issuerKeys === undefined) return { kind: "unavailable", reason: "the issuer's keys are not there" };
      const last = connection === undefined ? undefined : lastOf.get(connection);
      if (last?.token === token && isCurrent(last.known, issuerKeys)) return last.known.verdict;
      const key = digest(token);
      const known = cache.get(key);
      if (known !== undefined) {
        if (isCurrent(known, issuerKeys)) {
          if (connection !== undefined) lastOf.set(connection, { token, known });
          return known.verdict;
        }
        cache.delete(key);
      }
      const fault = findFormFault(token);
      if (fault !== undefined) return invalid(fault);
      // One check for all requests that bring the same new token at once.
      let running = pending.get(key);
      if (running === undefined) {
        running = check(token, key, issuerKeys).finally(() => pending.delete(key));
        pending.set(key, running);
      }
      return running;
    },
  };
}

/** What is wrong, in words that hold nothing of the token. */
function reasonOf(error: unknown): string {
  if (!(error instanceof errors.JOSEError)) return "the token could not be read";
  const { claim } = error as { claim?: unknown };
  return typeof claim === "string" && claim !== "unspecified" ? `${error.code}: ${claim}` : error.code;
}
