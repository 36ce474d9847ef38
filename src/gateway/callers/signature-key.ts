import type { TokenAlgorithm } from "../../contract/index.ts";
import type { Members } from "./token-form.ts";

/** A public key of the issuer, for exactly one algorithm. */
export interface SignatureKey {
  /** Its name; undefined: it has none, and no token that names a key means it. */
  readonly kid: string | undefined;
  readonly algorithm: TokenAlgorithm;
  /** Tells whether it made a signature. Never throws. @param signed ASCII */
  verify(signed: string, signature: Uint8Array): boolean;
}

/**
 * Finds the one key that a token's header means: of its algorithm, and of the name that it gives, if it gives one. Nothing else in a header (`jwk`,
 * `jku`, `x5c`, `x5u`) says anything about keys.
 *
 * @see RFC 7515 §4.1.4 (`kid`), RFC 8725 §3.1 and §3.10
 */
export function findSignatureKey(
  keys: readonly SignatureKey[],
  { alg, kid }: Members,
): SignatureKey | "none" | "several" {
  let found: SignatureKey | undefined;
  for (const key of keys) {
    if (key.algorithm !== alg || (kid !== undefined && key.kid !== kid)) continue;
    // Which of them is meant is no choice of ours.
    if (found !== undefined) return "several";
    found = key;
  }
  return found ?? "none";
}
