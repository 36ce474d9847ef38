import { createCipheriv, randomBytes, scryptSync } from "node:crypto";
import type { KeyObject } from "node:crypto";

/**
 * What a guess at the passphrase costs: 16 MB and about a third of a second. OpenSSL reads no more than 32 MB, so the time comes
 * from `p`; these are twice the OWASP Password Storage Cheat Sheet's minimum for that N.
 */
const cost = { N: 16_384, r: 8, p: 10 };
const keyLength = 32;

/**
 * Encrypts a private key as `openssl pkcs8 -topk8 -scrypt` does. Node's own export derives the key from the passphrase with 2,048 rounds
 * of PBKDF2, which a graphics card tries a million times a second. `createPrivateKey` reads this form.
 *
 * @see RFC 8018 §6.2 (PBES2), RFC 7914 §7 (scrypt in it), RFC 5958 (EncryptedPrivateKeyInfo)
 */
export function encryptPrivateKey(key: KeyObject, passphrase: string): string {
  const salt = randomBytes(16);
  const iv = randomBytes(16);
  const derived = scryptSync(passphrase, salt, keyLength, { ...cost, maxmem: 64 * 1024 * 1024 });
  const cipher = createCipheriv("aes-256-cbc", derived, iv);
  const plain = key.export({ type: "pkcs8", format: "der" });
  const encrypted = Buffer.concat([cipher.update(plain), cipher.final()]);
  const algorithm = sequence(
    oid("2a864886f70d01050d"),
    sequence(
      sequence(
        oid("2b06010401da47040b"),
        sequence(octets(salt), integer(cost.N), integer(cost.r), integer(cost.p), integer(keyLength)),
      ),
      sequence(oid("60864801650304012a"), octets(iv)),
    ),
  );
  const base64 = sequence(algorithm, octets(encrypted)).toString("base64");
  const lines = base64.match(/.{1,64}/g) ?? [];
  return `-----BEGIN ENCRYPTED PRIVATE KEY-----\n${lines.join("\n")}\n-----END ENCRYPTED PRIVATE KEY-----\n`;
}

/** One element of DER, shorter than 64 kB. */
function element(tag: number, content: Buffer): Buffer {
  const length =
    content.length < 128
      ? [content.length]
      : content.length < 256
        ? [0x81, content.length]
        : [0x82, content.length >> 8, content.length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
}

const sequence = (...parts: Buffer[]): Buffer => element(0x30, Buffer.concat(parts));
const octets = (content: Buffer): Buffer => element(0x04, content);
const oid = (hex: string): Buffer => element(0x06, Buffer.from(hex, "hex"));

function integer(value: number): Buffer {
  const hex = value.toString(16);
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, "hex");
  // A first bit of one would make it negative.
  return element(0x02, (bytes[0] ?? 0) < 128 ? bytes : Buffer.concat([Buffer.from([0]), bytes]));
}
