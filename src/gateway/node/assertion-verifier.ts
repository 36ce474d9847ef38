import { readFile } from "node:fs/promises";
import type { JSONWebKeySet } from "jose";
import { CurtainwallError } from "../../shared/index.ts";
import { verifyBody, verifyHead } from "../assertion.ts";
import type { AssertedRequest, VerifiedAssertion, VerifiedHead } from "../assertion.ts";

/** Options of {@link createAssertionVerifier}. */
export interface AssertionVerifierOptions {
  /** The stack's public keys: `.curtainwall/edge/assertion.jwks.json`. Read at the first request, and again when a key is unknown. */
  jwksFile: string;
  /** The stack's origin. */
  issuer: string;
  /** This upstream's URL, as in the contract. */
  audience: string;
  /** The present in milliseconds, for how often the file is read. Default `Date.now`. */
  now?: () => number;
}

/** Checks the assertion of one request; see {@link createAssertionVerifier}. */
export type AssertionVerifier = (
  header: string | undefined,
  request: AssertedRequest,
) => Promise<VerifiedAssertion>;

const rereadAfterMs = 1000;

/**
 * For an upstream: verifies that a request came through the gateway, and tells for whom. Call it before anything else.
 *
 * @example
 * ```ts
 * import { createServer } from "node:http";
 * import { buffer } from "node:stream/consumers";
 * import { assertionHeader, createAssertionVerifier } from "curtainwall/upstream";
 *
 * const verify = createAssertionVerifier({
 *   jwksFile: ".curtainwall/edge/assertion.jwks.json",
 *   issuer: "https://www.bakery.example",
 *   audience: "https://shop.internal/",
 * });
 * createServer(async (request, response) => {
 *   const { method = "", url: path = "", headers } = request;
 *   let body: Uint8Array | undefined;
 *   const { subject } = await verify(String(headers[assertionHeader]), {
 *     method,
 *     path,
 *     body: async () => (body = await buffer(request)),
 *   });
 *   response.end(`${subject} sent ${body?.length} bytes`);
 * });
 * ```
 */
export function createAssertionVerifier({
  jwksFile,
  issuer,
  audience,
  now = Date.now,
}: AssertionVerifierOptions): AssertionVerifier {
  const target = new URL(audience).href;
  let keys: JSONWebKeySet | undefined;
  let readAt = Number.NEGATIVE_INFINITY;

  async function read(): Promise<JSONWebKeySet> {
    readAt = now();
    try {
      return (keys = JSON.parse(await readFile(jwksFile, "utf8")) as JSONWebKeySet);
    } catch (cause) {
      throw new CurtainwallError("GATEWAY_ASSERTION_INVALID", "The gateway's public keys can't be read.", {
        cause,
        hint: `Start the stack first; it writes ${jwksFile}`,
      });
    }
  }

  async function verify(header: string | undefined, request: AssertedRequest): Promise<VerifiedHead> {
    const current = keys ?? (await read());
    try {
      return await verifyHead(header, request, { keys: current, issuer, audience: target });
    } catch (error) {
      if (now() - readAt < rereadAfterMs) throw error;
      return verifyHead(header, request, { keys: await read(), issuer, audience: target });
    }
  }

  return async (header, request) => {
    const { bodyDigest, ...verified } = await verify(header, request);
    await verifyBody(bodyDigest, request.body);
    return verified;
  };
}
