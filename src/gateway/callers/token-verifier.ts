import { longestRememberedSeconds } from "../../contract/index.ts";
import type { Identity } from "../../contract/index.ts";
import type { TokenVerdict, TokenVerifier } from "../types.ts";
import type { Revocations } from "./revocations.ts";
import { findSignatureKey } from "./signature-key.ts";
import type { SignatureKey } from "./signature-key.ts";
import { readClaims } from "./token-claims.ts";
import type { TokenClaims } from "./token-claims.ts";
import { readToken } from "./token-form.ts";
import type { TokenParts } from "./token-form.ts";

/** The issuer's public keys at one moment. */
export interface IssuerKeys {
  /** Changes whenever the keys do, so that what was verified with old keys is verified again. */
  readonly epoch: number;
  readonly keys: readonly SignatureKey[];
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
  const lastOf = new WeakMap<object, { readonly token: string; readonly known: VerifiedToken }>();
  const toleranceMs = identity.clockToleranceSeconds * 1000;
  const algorithms = new Set<unknown>(identity.algorithms);

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

  /** Verifies a token that is not remembered. Undefined: none of these keys is the one that it names. */
  function check(
    parts: TokenParts,
    digested: string,
    { keys: all, epoch }: IssuerKeys,
  ): TokenVerdict | undefined {
    const { header, claims: payload, signed, signature } = parts;
    // What costs nothing first: no refusal here may be bought with a signature's work, or a question to the issuer.
    if (!isAccessToken(header.typ)) return invalid("it is no access token (typ)");
    if (!algorithms.has(header.alg)) return invalid("its algorithm is not accepted");
    const key = findSignatureKey(all, header);
    if (key === "none") return undefined;
    if (key === "several") return invalid("several keys could be meant");
    if (!key.verify(signed, signature)) return invalid("its signature is wrong");
    const claims = readClaims(payload, identity, now());
    if (typeof claims === "string") return invalid(claims);
    const revocationEpoch = revocations?.epoch() ?? 0;
    if (isRevoked(claims)) return invalid("it was revoked");
    if (revocations !== undefined && claims.issuedAt < now() / 1000 - longestRememberedSeconds)
      return invalid("it is older than revocations are remembered");
    const { caller, thumbprint } = claims;
    const verdict = {
      kind: "valid",
      caller,
      ...(thumbprint === undefined ? {} : { bound: { thumbprint, tokenDigest: digested } }),
    } as const;
    if (cache.size >= maxCached) cache.delete(cache.keys().next().value ?? "");
    cache.set(digested, { ...claims, verdict, epoch, revocationEpoch });
    return verdict;
  }

  /** Asks the issuer for the key that a token names. */
  async function checkAnew(parts: TokenParts, digested: string, used: IssuerKeys): Promise<TokenVerdict> {
    const newer = await keys.refresh();
    const verdict =
      newer === undefined || newer.epoch === used.epoch ? undefined : check(parts, digested, newer);
    return verdict ?? invalid("no key of the issuer is the one that it names");
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
      const parts = readToken(token);
      if (typeof parts === "string") return invalid(parts);
      return check(parts, key, issuerKeys) ?? checkAnew(parts, key, issuerKeys);
    },
  };
}

/** `at+jwt`, in any case, with or without what every media type begins with (RFC 9068 §4, RFC 7515 §4.1.9). */
const isAccessToken = (typ: unknown): boolean =>
  typeof typ === "string" && /^(?:application\/)?at\+jwt$/i.test(typ);
