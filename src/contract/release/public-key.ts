import { fromBase64, toBase64Url } from "../../shared/index.ts";

/** An Ed25519 public key that signs programs or releases. */
export interface ReleasePublicKey {
  /** As it is written in a contract: `ed25519:` and 43 characters. */
  readonly text: string;
  /** The 32 bytes. */
  readonly bytes: Uint8Array;
}

const ownForm = /^ed25519:([A-Za-z0-9_-]{43})$/;
const sshForm = /^ssh-ed25519 ([A-Za-z0-9+/]{68})(?: [^\r\n]*)?$/;
/** The name of the type and its length, then the length of the key: what an OpenSSH key begins with (RFC 8709 §4). */
const sshPrefix = "0000000b7373682d6564323535313900000020";

/**
 * Reads a public key: `ed25519:…` as `curtainwall key` prints it, or the line of an OpenSSH public key file. Undefined if it is
 * neither.
 */
export function parsePublicKey(text: string): ReleasePublicKey | undefined {
  const own = ownForm.exec(text)?.[1];
  if (own !== undefined) return publicKeyOf(fromBase64(own));
  const blob = fromBase64(sshForm.exec(text.trim())?.[1] ?? "");
  if (blob === undefined || !isSshKey(blob)) return undefined;
  return publicKeyOf(blob.subarray(sshPrefix.length / 2));
}

function isSshKey(blob: Uint8Array): boolean {
  const prefix = Array.from(blob.subarray(0, sshPrefix.length / 2), (byte) =>
    byte.toString(16).padStart(2, "0"),
  );
  return prefix.join("") === sshPrefix && blob.length === sshPrefix.length / 2 + 32;
}

/** Names a public key by its bytes; undefined if they aren't 32. */
export function publicKeyOf(bytes: Uint8Array | undefined): ReleasePublicKey | undefined {
  return bytes?.length === 32 ? { text: `ed25519:${toBase64Url(bytes)}`, bytes } : undefined;
}

/** Checks an Ed25519 signature (RFC 8032). */
export async function verifyEd25519(
  key: ReleasePublicKey,
  signature: Uint8Array,
  message: Uint8Array,
): Promise<boolean> {
  if (signature.length !== 64) return false;
  const imported = await crypto.subtle.importKey("raw", owned(key.bytes), "Ed25519", false, ["verify"]);
  return crypto.subtle.verify("Ed25519", imported, owned(signature), owned(message));
}

/** Web Crypto's types want bytes that nobody shares. */
const owned = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => new Uint8Array(bytes);
