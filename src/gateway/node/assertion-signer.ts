import { KeyObject, sign } from "node:crypto";
import { assertionLifetimeSeconds, assertionType } from "../assertion.ts";
import type { AssertionSigner } from "../assertion.ts";

/** Options of {@link createAssertionSigner}. */
export interface AssertionSignerOptions {
  /** A private Ed25519 key. */
  key: KeyObject | CryptoKey;
  keyId: string;
  /** The stack's origin. */
  issuer: string;
  /** The upstream's URL, as in the contract. */
  audience: string;
}

/**
 * Signs, for each request to an upstream, that it passed the gateway: for which subject, with which roles, for exactly this
 * method, path and body, for half a minute.
 *
 * In the thread that asks: a signature takes less than what it costs to have another thread make it. Written out here, since
 * a library would check anew with each request what is the same for all of them.
 *
 * @see RFC 7515 §3.1 (JWS compact serialisation), RFC 8037 §3.1 (EdDSA)
 */
export function createAssertionSigner({
  key,
  keyId,
  issuer,
  audience,
}: AssertionSignerOptions): AssertionSigner {
  const privateKey = key instanceof KeyObject ? key : KeyObject.from(key);
  if (privateKey.asymmetricKeyType !== "ed25519" || privateKey.type !== "private")
    throw new TypeError("Assertions are signed with a private Ed25519 key");
  const head = `${encode({ alg: "EdDSA", typ: assertionType, kid: keyId })}.`;
  return {
    sign({ caller, method, path, bodyDigest, id }) {
      const seconds = Math.floor(Date.now() / 1000);
      const input =
        head +
        encode({
          htm: method,
          htp: path,
          body: bodyDigest,
          roles: caller?.roles,
          iss: issuer,
          aud: audience,
          iat: seconds,
          exp: seconds + assertionLifetimeSeconds,
          jti: id,
          sub: caller?.subject,
        });
      // The header and base64url are ASCII.
      return `${input}.${sign(null, Buffer.from(input, "latin1"), privateKey).toString("base64url")}`;
    },
  };
}

/** What is undefined is left out. */
const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
