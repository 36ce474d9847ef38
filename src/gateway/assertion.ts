import { createLocalJWKSet, errors, jwtVerify } from "jose";
import type { JSONWebKeySet, JWTVerifyGetKey } from "jose";
import { CurtainwallError, sha256, toBase64Url } from "../shared/index.ts";
import type { Caller } from "./types.ts";

/** The header that carries the assertion to an upstream. */
export const assertionHeader = "curtainwall-assertion";

/** Its `typ` (RFC 8725 §3.11). */
export const assertionType = "curtainwall-assertion+jwt";
/** How long it is good for. */
export const assertionLifetimeSeconds = 30;

/** What an assertion says. */
export interface AssertionFacts {
  caller: Caller | undefined;
  method: string;
  /** Path and query as the upstream gets them. */
  path: string;
  /** SHA-256 of the body's bytes as they are sent, in base64url; undefined if none is sent. */
  bodyDigest?: string | undefined;
  /** The request's id, so that the upstream's log and ours speak of the same thing. */
  id: string;
}

/** Signs assertions for one upstream. */
export interface AssertionSigner {
  sign(facts: AssertionFacts): string | Promise<string>;
}

/** What an upstream learns from an assertion. */
export interface VerifiedAssertion {
  /** Undefined if nobody is signed in. */
  subject: string | undefined;
  roles: string[];
  id: string;
}

/** A body as it was received. */
export type ReceivedBody = string | Uint8Array;

/** The request that an assertion came with. */
export interface AssertedRequest {
  method: string;
  /** Path and query, as they came. */
  path: string;
  /**
   * The body, as it came: an assertion that was made for a body is refused without it. A function is called only once all
   * else holds, and at most once, so that nobody but the gateway can make an upstream read. Leave it out where no body is read.
   */
  body?: ReceivedBody | (() => ReceivedBody | Promise<ReceivedBody>) | undefined;
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
 * @throws {CurtainwallError} `GATEWAY_ASSERTION_INVALID` when it is missing, forged, old, or made for another request, body or upstream
 */
export async function verifyAssertion(
  header: string | undefined,
  request: AssertedRequest,
  rules: AssertionRules,
): Promise<VerifiedAssertion> {
  const { bodyDigest, ...verified } = await verifyHead(header, request, rules);
  // Outside of what turns an exception into a refusal: a body that can't be read is the caller's own trouble.
  await verifyBody(bodyDigest, request.body);
  return verified;
}

/** What holds before the body was looked at. */
export interface VerifiedHead extends VerifiedAssertion {
  /** Of the body that must come with it; undefined: none may. */
  readonly bodyDigest: string | undefined;
}

/** Checks all of an assertion that does not take the body. */
export async function verifyHead(
  header: string | undefined,
  request: Pick<AssertedRequest, "method" | "path">,
  rules: AssertionRules,
): Promise<VerifiedHead> {
  if (header === undefined)
    throw invalid("The request has no assertion: it did not come through the gateway.");
  try {
    const { payload } = await jwtVerify(header, finderOf(rules.keys), {
      issuer: rules.issuer,
      audience: rules.audience,
      algorithms: ["EdDSA"],
      typ: assertionType,
      requiredClaims: ["exp", "iat", "jti", "htm", "htp"],
      clockTolerance: 5,
      ...(rules.currentDate === undefined ? {} : { currentDate: rules.currentDate }),
    });
    if (payload.htm !== request.method || payload.htp !== request.path)
      throw invalid("The assertion was made for another request.");
    const roles = Array.isArray(payload.roles)
      ? payload.roles.filter((entry) => typeof entry === "string")
      : [];
    const { body: bodyDigest } = payload;
    if (bodyDigest !== undefined && typeof bodyDigest !== "string")
      throw invalid("The assertion can't be read.");
    return { subject: payload.sub, roles, id: payload.jti as string, bodyDigest };
  } catch (error) {
    if (error instanceof CurtainwallError) throw error;
    throw invalid(
      error instanceof errors.JOSEError
        ? `The assertion is not valid (${error.code}).`
        : "The assertion can't be read.",
    );
  }
}

/** Compares the body that came with the one that was signed for. */
export async function verifyBody(
  bodyDigest: string | undefined,
  given: AssertedRequest["body"],
): Promise<void> {
  const body = typeof given === "function" ? await given() : given;
  if (body === undefined) {
    if (bodyDigest !== undefined)
      throw invalid("The assertion was made for a body, which was not given to be checked.");
  } else if (bodyDigest === undefined ? body.length > 0 : toBase64Url(await sha256(body)) !== bodyDigest)
    throw invalid("The assertion was made for another body.");
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
