import { verifyEd25519 } from "./public-key.ts";
import type { ReleasePublicKey } from "./public-key.ts";

const magic = new TextEncoder().encode("SSHSIG");
const hashes: ReadonlyMap<string, string> = new Map([
  ["sha256", "SHA-256"],
  ["sha512", "SHA-512"],
]);

/** Tells whether these bytes are a signature that `ssh-keygen -Y sign` made, rather than a bare one. */
export function isSshSignature(signature: Uint8Array): boolean {
  return magic.every((byte, index) => signature[index] === byte);
}

/**
 * Checks a signature that `ssh-keygen -Y sign` made with an Ed25519 key, of a file or of an agent. The namespace keeps it apart from
 * the same key's signatures of commits, mail and logins.
 *
 * @see PROTOCOL.sshsig of OpenSSH
 */
export async function verifySshSignature(
  key: ReleasePublicKey,
  namespace: string,
  signature: Uint8Array,
  message: Uint8Array,
): Promise<boolean> {
  const parts = readSignature(signature);
  if (parts === undefined) return false;
  const hash = hashes.get(parts.hash);
  if (hash === undefined || parts.namespace !== namespace || parts.signatureType !== "ssh-ed25519")
    return false;
  // The signature names a key; what counts is the one that was pinned.
  if (!equal(parts.publicKey, sshKeyOf(key))) return false;
  const digest = new Uint8Array(await crypto.subtle.digest(hash, new Uint8Array(message)));
  const signed = [magic, field(parts.namespace), field(parts.reserved), field(parts.hash), field(digest)];
  return verifyEd25519(key, parts.signature, concat(signed));
}

interface SshSignature {
  publicKey: Uint8Array;
  namespace: string;
  reserved: Uint8Array;
  hash: string;
  signatureType: string;
  signature: Uint8Array;
}

function readSignature(bytes: Uint8Array): SshSignature | undefined {
  const reader = new FieldReader(bytes, magic.length);
  if (!isSshSignature(bytes) || reader.number() !== 1) return undefined;
  const text = (field_: Uint8Array): string => new TextDecoder("latin1").decode(field_);
  const publicKey = reader.field();
  const namespace = text(reader.field());
  const reserved = reader.field();
  const hash = text(reader.field());
  const inner = new FieldReader(reader.field(), 0);
  const signatureType = text(inner.field());
  const signature = inner.field();
  if (!reader.isDone || !inner.isDone) return undefined;
  return { publicKey, namespace, reserved, hash, signatureType, signature };
}

/** Reads SSH's fields: a length of 32 bits, then that many bytes (RFC 4251 §5). Once something does not fit, it is never done. */
class FieldReader {
  readonly #bytes: Uint8Array;
  #at: number;

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.#at = at;
  }

  number(): number {
    const [a = 0, b = 0, c = 0, d = 0] = this.#take(4);
    return a * 0x1000000 + b * 0x10000 + c * 0x100 + d;
  }

  field(): Uint8Array {
    return this.#take(this.number());
  }

  #take(length: number): Uint8Array {
    const part = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at = part.length === length ? this.#at + length : Number.POSITIVE_INFINITY;
    return part;
  }

  get isDone(): boolean {
    return this.#at === this.#bytes.length;
  }
}

const sshKeyOf = (key: ReleasePublicKey): Uint8Array => concat([field("ssh-ed25519"), field(key.bytes)]);

function field(content: string | Uint8Array): Uint8Array {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, bytes.length);
  return concat([length, bytes]);
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

const equal = (left: Uint8Array, right: Uint8Array): boolean =>
  left.length === right.length && left.every((byte, index) => byte === right[index]);
