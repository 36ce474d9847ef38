import { SignJWT, importPKCS8 } from "jose";
import type { CryptoKey } from "jose";
import type { JwtAssertionOptions } from "../../contract/index.ts";
import { revealSecret } from "../../shared/index.ts";
import type { Secret } from "../../shared/index.ts";
import { Refused } from "../errors.ts";
import type { Inject } from "./outgoing.ts";

/** `Authorization: Bearer` with a token that is signed for this request alone (RFC 7519). */
export function injectJwtAssertion(options: Required<JwtAssertionOptions>, now: () => number): Inject {
  const { issuer, subject, audience, algorithm, keyId, lifetimeSeconds } = options;
  /** Keys live as long as the values they were made of. */
  const keys = new WeakMap<Secret, Promise<CryptoKey>>();

  function keyOf(secret: Secret): Promise<CryptoKey> {
    const known = keys.get(secret);
    if (known !== undefined) return known;
    const key = importPKCS8(revealSecret(secret).trim(), algorithm).catch(unfit);
    keys.set(secret, key);
    return key;
  }

  // What went wrong with it may quote it.
  function unfit(): never {
    throw new Refused("EGRESS_SECRET_UNFIT", `the value is no ${algorithm} private key in PEM (PKCS#8)`);
  }

  return async ({ headers }, secret) => {
    const key = await keyOf(secret);
    const seconds = Math.floor(now() / 1000);
    const token = await new SignJWT({ jti: crypto.randomUUID() })
      .setProtectedHeader({ alg: algorithm, typ: "JWT", ...(keyId === "" ? {} : { kid: keyId }) })
      .setIssuer(issuer)
      .setSubject(subject)
      .setAudience(audience)
      .setIssuedAt(seconds)
      .setExpirationTime(seconds + lifetimeSeconds)
      .sign(key)
      // An RSA key of 1 024 bits, for one: it can be read, but not signed with.
      .catch(unfit);
    headers.set("authorization", `Bearer ${token}`);
    return [token];
  };
}
