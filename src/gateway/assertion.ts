import { SignJWT, createLocalJWKSet, errors, jwtVerify } from "jose";
import type { CryptoKey, JSONWebKeySet, JWTVerifyGetKey } from "jose";
import { CurtainwallError } from "../shared/index.ts";
import type { Caller } from "./types.ts";

/** The header that carries the assertion to an upstream. */
export const assertionHeader = "curtainwall-assertion";

const tokenType = "curtainwall-assertion+jwt";
const lifetimeSeconds = 30;

/** What an assertion says. */
export interface AssertionFacts {
  caller: Caller | undefined;
  method: string;
  /** Path and query as the upstream gets them. */
  path: string;
  /** The request's id, so that the upstream's log and ours speak of the same thing. */
  id: string;
}

/** Signs assertions for one upstream; made by {@link createAssertionSigner}. */
export interface AssertionSigner {
  sign(facts: AssertionFacts): Promise<string>;
}

/** Options of {@link createAssertionSigner}. */
export interface AssertionSignerOptions {
  /** A private Ed25519 key. */
  key: CryptoKey;
  keyId: string;
  /** The stack's origin. */
  issuer: string;
  /** The upstream's URL, as in the contract. */
  audience: string;
}

/**
 * Signs, for each request to an upstream, that it passed the gateway: for which subject, with which roles, for exactly this
 * method and path, for half a minute.
 */
export function createAssertionSigner({
  key,
  keyId,
  issuer,
  audience,
}: AssertionSignerOptions): AssertionSigner {
  return {
    sign({ caller, method, path, id }) {
      const seconds = Math.floor(Date.now() / 1000);
      const token = new SignJWT({
        htm: method,
        htp: path,
        ...(caller === undefined ? {} : { roles: [...caller.roles] }),
      })
        .setProtectedHeader({ alg: "EdDSA", typ: tokenType, kid: keyId })
        .setIssuer(issuer)
        .setAudience(audience)
        .setIssuedAt(seconds)
        .setExpirationTime(seconds + lifetimeSeconds)
        .setJti(id);
      if (caller !== undefined) token.setSubject(caller.subject);
      return token.sign(key);
    },
  };
}

/** What an upstream learns from an assertion. */
export interface VerifiedAssertion {
  /** Undefined if nobody is signed in. */
  subject: string | undefined;
  roles: string[];
  id: string;
}

/** Options of {@link verifyAssertion}. */
export interface AssertionRules {
  keys: JSONWebKeySet;
  issuer: string;
  audience: string;
  /** The present. Default: now. */
  currentDate?: Date;
}

/**
 * Checks an assertion against the request that it came with.
 *
 * @throws {CurtainwallError} `GATEWAY_ASSERTION_INVALID` when it is missing, forged, old, or made for another request or upstream
 */
export async function verifyAssertion(
  header: string | undefined,
  request: { method: string; path: string },
  rules: AssertionRules,
): Promise<VerifiedAssertion> {
  if (header === undefined)
    throw invalid("The request has no assertion: it did not come through the gateway.");
  try {
    const { payload } = await jwtVerify(header, finderOf(rules.keys), {
      issuer: rules.issuer,
      audience: rules.audience,
      algorithms: ["EdDSA"],
      typ: tokenType,
      requiredClaims: ["exp", "iat", "jti", "htm", "htp"],
      clockTolerance: 5,
      ...(rules.currentDate === undefined ? {} : { currentDate: rules.currentDate }),
    });
    if (payload.htm !== request.method || payload.htp !== request.path)
      throw invalid("The assertion was made for another request.");
    const roles = Array.isArray(payload.roles)
      ? payload.roles.filter((entry) => typeof entry === "string")
      : [];
    return { subject: payload.sub, roles, id: payload.jti as string };
  } catch (error) {
    if (error instanceof CurtainwallError) throw error;
    throw invalid(
      error instanceof errors.JOSEError
        ? `The assertion is not valid (${error.code}).`
        : "The assertion can't be read.",
    );
  }
}

const finders = new WeakMap<JSONWebKeySet, JWTVerifyGetKey>();

/** Looks keys up in a set. Importing a key costs as much as checking a signature, so that is done once a set. */
function finderOf(keys: JSONWebKeySet): JWTVerifyGetKey {
  let finder = finders.get(keys);
  if (finder === undefined) finders.set(keys, (finder = createLocalJWKSet(keys)));
  return finder;
}

const invalid = (message: string): CurtainwallError =>
  new CurtainwallError("GATEWAY_ASSERTION_INVALID", message);
