import { publicKeyOf } from "./public-key.ts";
import type { EnvelopeSigner } from "./envelope.ts";

/** A signer with a new key, for tests. */
export async function makeSigner(): Promise<EnvelopeSigner> {
  const pair = await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"]);
  const publicKey = publicKeyOf(new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey)));
  if (publicKey === undefined) throw new Error("no Ed25519 here");
  return {
    publicKey,
    sign: async (message) =>
      new Uint8Array(await crypto.subtle.sign("Ed25519", pair.privateKey, new Uint8Array(message))),
  };
}
