import { createPublicKey, verify } from "node:crypto";
import { checkpointText } from "../checkpoint.ts";
import type { Checkpoint } from "../checkpoint.ts";

/** Tells whether a checkpoint was signed with the key that it names. Whose that is, the caller knows. */
export function isSigned(checkpoint: Checkpoint): boolean {
  const x = checkpoint.key.slice("ed25519:".length);
  try {
    const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
    return verify(null, checkpointText(checkpoint), key, Buffer.from(checkpoint.signature, "base64url"));
  } catch {
    return false;
  }
}
