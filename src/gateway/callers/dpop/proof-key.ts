import { calculateJwkThumbprint, importJWK } from "jose";
import type { CryptoKey } from "jose";
import type { Members } from "../token-form.ts";

/** The key that a proof was signed with, which its header shows. */
export interface ProofKey {
  readonly key: CryptoKey;
  readonly algorithm: ProofAlgorithm;
  /** RFC 7638, SHA-256, base64url. */
  readonly thumbprint: string;
}

/** Signature algorithms of proofs. */
export type ProofAlgorithm = keyof typeof curves;

/** Both are fast to verify, and a page can keep keys for both so that no script gets at them. Symmetric ones and `none` are not among them. */
const curves = {
  ES256: { kty: "EC", crv: "P-256", members: ["x", "y"] },
  EdDSA: { kty: "OKP", crv: "Ed25519", members: ["x"] },
  Ed25519: { kty: "OKP", crv: "Ed25519", members: ["x"] },
} as const;

/** For `algs` (RFC 9449 §7.1). */
export const proofAlgorithms: string = Object.keys(curves).join(" ");

const isAlgorithm = (name: unknown): name is ProofAlgorithm =>
  typeof name === "string" && Object.hasOwn(curves, name);

/** 32 bytes in base64url, in the one spelling that there is of them: a thumbprint is one of the text. */
const coordinate = /^[\w-]{42}[AEIMQUYcgkosw048]$/;
const privateMembers = ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"];

/**
 * Reads the key of a proof's header, which is believed to be nothing but that: whose it is says the token.
 *
 * @returns words that hold nothing of the proof, if it is refused
 * @see RFC 9449 §4.2 (`typ`, `alg`, `jwk`), RFC 7638 §3
 */
export async function readProofKey(header: Members): Promise<ProofKey | string> {
  const { typ, alg, jwk } = header;
  if (typ !== "dpop+jwt") return "its type is not dpop+jwt";
  if (!isAlgorithm(alg)) return "its algorithm is not accepted";
  if (typeof jwk !== "object" || jwk === null || Array.isArray(jwk)) return "it shows no key";
  const shown = jwk as Members;
  if (privateMembers.some((name) => Object.hasOwn(shown, name))) return "it shows a private key";
  const { kty, crv, members } = curves[alg];
  if (shown.kty !== kty || shown.crv !== crv) return "its key is not one of its algorithm";
  const bare: Record<string, string> = { kty, crv };
  for (const name of members) {
    const value = Object.hasOwn(shown, name) ? shown[name] : undefined;
    if (typeof value !== "string" || !coordinate.test(value)) return "its key has no usable form";
    bare[name] = value;
  }
  try {
    // What else the header says of the key (`use`, `key_ops`, `ext`) is not looked at.
    const key = (await importJWK(bare, alg)) as CryptoKey;
    return { key, algorithm: alg, thumbprint: await calculateJwkThumbprint(bare) };
  } catch {
    return "its key is none";
  }
}
