import { createPublicKey, verify } from "node:crypto";
import type { KeyObject } from "node:crypto";
import type { JWK } from "jose";
import type { TokenAlgorithm } from "../../contract/index.ts";
import type { SignatureKey } from "../callers/signature-key.ts";

/**
 * Makes keys of a key set ready to verify with: those that may verify (`use`, `key_ops`) and belong to one of our algorithms by their kind and curve,
 * and by `alg` if they say so. One that can't be read, or is too weak, verifies nothing.
 *
 * In the thread that asks: a verification takes less than what it costs to have another thread make it, and comes after the limit by client.
 *
 * @see RFC 7517 §4 (JWK), RFC 7518 §3.3 (RSA keys of 2048 bits), §3.4 (ECDSA), RFC 8037 §3.1 (EdDSA)
 */
export function readSignatureKeys(keys: readonly JWK[]): SignatureKey[] {
  return keys.flatMap((jwk) => {
    const algorithm = algorithmOf(jwk);
    if (algorithm === undefined || !maySign(jwk)) return [];
    const key = readKey(jwk);
    const kid = typeof jwk.kid === "string" ? jwk.kid : undefined;
    return [{ kid, algorithm, verify: key === undefined ? verifiesNothing : compileVerify(algorithm, key) }];
  });
}

function algorithmOf({ kty, crv, alg }: JWK): TokenAlgorithm | undefined {
  const algorithm = kty === "RSA" ? "RS256" : curves.get(`${kty} ${crv}`);
  return alg === undefined || alg === algorithm ? algorithm : undefined;
}

const curves: ReadonlyMap<string, TokenAlgorithm> = new Map([
  ["EC P-256", "ES256"],
  ["OKP Ed25519", "EdDSA"],
]);

const maySign = ({ use, key_ops: operations }: JWK): boolean =>
  (use === undefined || use === "sig") &&
  (operations === undefined || (Array.isArray(operations) && operations.includes("verify")));

const minRsaBits = 2048;
/** With 1 every text signs itself; with an even one nothing can be signed at all. */
const minRsaExponent = 3n;

function readKey(jwk: JWK): KeyObject | undefined {
  try {
    const key = createPublicKey({ key: jwk, format: "jwk" });
    return key.asymmetricKeyType !== "rsa" || isStrongRsa(key) ? key : undefined;
  } catch {
    return undefined;
  }
}

function isStrongRsa({ asymmetricKeyDetails: details }: KeyObject): boolean {
  const { modulusLength = 0, publicExponent = 0n } = details ?? {};
  return modulusLength >= minRsaBits && publicExponent >= minRsaExponent && publicExponent % 2n === 1n;
}

const verifiesNothing = (): boolean => false;

function compileVerify(algorithm: TokenAlgorithm, key: KeyObject): SignatureKey["verify"] {
  const digest = algorithm === "EdDSA" ? null : "sha256";
  // A JWS has the two numbers of an ECDSA signature side by side (RFC 7518 §3.4).
  const means = algorithm === "ES256" ? ({ key, dsaEncoding: "ieee-p1363" } as const) : key;
  return (signed, signature) => {
    try {
      return verify(digest, Buffer.from(signed, "latin1"), means, signature);
    } catch {
      return false;
    }
  };
}
