import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";

const nonceLength = 24;
const tagLength = 16;

/**
 * Seals bytes with XAES-256-GCM and a random nonce: nonce, ciphertext and tag, in that order. 192 bits of nonce may be drawn at random for as many
 * messages as anybody has.
 *
 * @see https://c2sp.org/XAES-256-GCM
 */
export function seal(key: Uint8Array, plaintext: Uint8Array, aad: Uint8Array): Uint8Array {
  const nonce = randomBytes(nonceLength);
  return Buffer.concat([nonce, encryptXaes(key, nonce, plaintext, aad)]);
}

/** Opens what {@link seal} made. Undefined: another key, other additional data, or other bytes. */
export function open(key: Uint8Array, sealed: Uint8Array, aad: Uint8Array): Uint8Array | undefined {
  if (sealed.length < nonceLength + tagLength) return undefined;
  const nonce = sealed.subarray(0, nonceLength);
  const tag = sealed.subarray(sealed.length - tagLength);
  const subkey = deriveSubkey(key, nonce);
  const cipher = createDecipheriv("aes-256-gcm", subkey, nonce.subarray(12), { authTagLength: tagLength });
  subkey.fill(0);
  cipher.setAAD(aad);
  cipher.setAuthTag(tag);
  const plaintext = cipher.update(sealed.subarray(nonceLength, sealed.length - tagLength));
  try {
    cipher.final();
    return plaintext;
  } catch {
    plaintext.fill(0);
    return undefined;
  }
}

/** The algorithm itself: ciphertext and tag. For {@link seal}, and for the published vectors; a nonce must never come twice. */
export function encryptXaes(
  key: Uint8Array,
  nonce: Uint8Array,
  plaintext: Uint8Array,
  aad: Uint8Array,
): Uint8Array {
  const subkey = deriveSubkey(key, nonce);
  const cipher = createCipheriv("aes-256-gcm", subkey, nonce.subarray(12), { authTagLength: tagLength });
  subkey.fill(0);
  cipher.setAAD(aad);
  return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

/** The key-based KDF of SP 800-108r1 in counter mode with CMAC-AES256, label "X" and the nonce's first half as context. */
function deriveSubkey(key: Uint8Array, nonce: Uint8Array): Uint8Array {
  if (key.length !== 32 || nonce.length !== nonceLength)
    throw new RangeError("XAES-256-GCM takes a key of 32 and a nonce of 24 bytes");
  const block = createCipheriv("aes-256-ecb", key, null).setAutoPadding(false);
  const mask = cmacSubkey(block.update(Buffer.alloc(16)));
  const messages = Buffer.alloc(32);
  for (const [index, counter] of [1, 2].entries()) {
    messages.set([0, counter, 0x58, 0], index * 16);
    messages.set(nonce.subarray(0, 12), index * 16 + 4);
  }
  for (const [index, byte] of mask.entries()) {
    messages[index] = (messages[index] ?? 0) ^ byte;
    messages[index + 16] = (messages[index + 16] ?? 0) ^ byte;
  }
  return block.update(messages);
}

/** CMAC's K1 (SP 800-38B §6.1): doubling in GF(2^128). No branch on what is secret. */
function cmacSubkey(zeroBlock: Uint8Array): Uint8Array {
  const doubled = new Uint8Array(16);
  for (let index = 0; index < 16; index++)
    doubled[index] = ((zeroBlock[index] ?? 0) << 1) | ((zeroBlock[index + 1] ?? 0) >> 7);
  doubled[15] = (doubled[15] ?? 0) ^ (0x87 & -((zeroBlock[0] ?? 0) >> 7));
  return doubled;
}
