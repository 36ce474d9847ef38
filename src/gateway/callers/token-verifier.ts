import { errors, jwtVerify } from "jose";
import type { JWTPayload, JWTVerifyGetKey } from "jose";
import type { Identity } from "../../contract/index.ts";
import type { Caller, TokenVerdict, TokenVerifier } from "../types.ts";

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
  identity: Pick<Identity, "issuer" | "audience" | "algorithms" | "rolesClaim" | "clockToleranceSeconds">;
  keys: KeySource;
  /** A collision-free digest of a token: the cache holds no tokens. */
  digest: (token: string) => string;
  /** Verified tokens remembered; the oldest is forgotten first. Default 10 000. */
  maxCached?: number;
  /** The present in milliseconds since 1970. Default `Date.now`. */
  now?: () => number;
}

interface VerifiedToken {
  readonly verdict: TokenVerdict & { kind: "valid" };
  readonly notBeforeMs: number;
  readonly expiresMs: number;
  readonly epoch: number;
}

/** Longer ones are refused unread: a signature check over megabytes is a lever for denial of service. */
const maxTokenLength = 8192;

/** Decoders forgive padding and blanks, by which one token could be written in any number of ways. */
const compactForm = /^[\w-]+\.[\w-]+\.[\w-]+$/;

const invalid = (reason: string): TokenVerdict => ({ kind: "invalid", reason });

/**
 * Verifies JWT access tokens: signature by one of the issuer's keys with one of the pinned algorithms, `typ` at+jwt,
 * issuer, audience, times. A verified token is remembered by its digest; its times and the keys' epoch are checked on
 * every use, and a refusal is never remembered as anything. A connection's last token is compared with its next, while it
 * lasts: a digest costs more than all other checks of a request together.
 *
 * @see RFC 9068 §4 (access tokens), RFC 8725 §3 (best current practices)
 */
export function createTokenVerifier({
  identity,
  keys,
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

  const isCurrent = (token: VerifiedToken, { epoch }: IssuerKeys): boolean => {
    const time = now();
    return (
      token.epoch === epoch && time < token.expiresMs + toleranceMs && time >= token.notBeforeMs - toleranceMs
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
      const caller = callerOf(result.payload, identity.rolesClaim);
      if (typeof caller === "string") return invalid(caller);
      const verdict = { kind: "valid", caller } as const;
      if (cache.size >= maxCached) cache.delete(cache.keys().next().value ?? "");
      cache.set(key, {
        verdict,
        epoch: used.epoch,
        expiresMs: (result.payload.exp ?? 0) * 1000,
        notBeforeMs: (result.payload.nbf ?? 0) * 1000,
      });
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
      if (!compactForm.test(token)) return invalid("it is not a signed token");
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

/** Who the token speaks of, or why it speaks of nobody. */
function callerOf(payload: JWTPayload, rolesClaim: string): Caller | string {
  const roles = payload[rolesClaim] ?? [];
  if (typeof payload.sub !== "string" || payload.sub === "" || payload.sub.length > 255)
    return "it names no subject";
  if (!Array.isArray(roles) || roles.some((entry) => typeof entry !== "string"))
    return `its claim "${rolesClaim}" is not a list of texts`;
  return { subject: payload.sub, roles: roles as string[] };
}
