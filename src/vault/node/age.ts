import type * as Age from "age-encryption";
import type { Secret } from "../../shared/index.ts";
import { revealSecret } from "../../shared/index.ts";
import { vaultError } from "./fail.ts";

/** More than a thousand of the largest values take, in base64. */
const maxFileBytes = 128 * 1024 * 1024;

let loading: Promise<typeof Age> | undefined;

/** It takes some 70 ms to load, and only exports and imports need it. */
const loadAge = (): Promise<typeof Age> => (loading ??= import("age-encryption"));

/** Loads what exports and imports need: for a process that soon may not read the program's files any more. */
export async function prepareExport(): Promise<void> {
  await loadAge();
}

/**
 * Encrypts bytes for people, as an armored age file (https://age-encryption.org/v1).
 *
 * @throws {CurtainwallError} `VAULT_RECIPIENT_INVALID`
 */
export async function encryptFor(recipients: readonly string[], plaintext: Uint8Array): Promise<Uint8Array> {
  const { Encrypter, armor } = await loadAge();
  const encrypter = new Encrypter();
  if (recipients.length === 0) throw recipientInvalid("Nobody is named who can open the export.");
  for (const [index, recipient] of recipients.entries()) {
    try {
      encrypter.addRecipient(recipient);
    } catch {
      // Its error quotes the text, which may be an identity that was taken for a recipient.
      throw recipientInvalid(`Recipient ${index + 1} is none of age.`);
    }
  }
  return new TextEncoder().encode(armor.encode(await encrypter.encrypt(plaintext)));
}

const recipientInvalid = (message: string): Error =>
  vaultError("VAULT_RECIPIENT_INVALID", message, {
    hint: "Each person makes an identity and tells its public half, age1…:  age-keygen -o identity.txt",
  });

/**
 * Decrypts an age file, armored or not.
 *
 * @throws {CurtainwallError} `VAULT_IMPORT_LOCKED`, `VAULT_IMPORT_INVALID`
 */
export async function decryptWith(identity: Secret, file: Uint8Array): Promise<Uint8Array> {
  const { Decrypter, armor } = await loadAge();
  const decrypter = new Decrypter();
  try {
    decrypter.addIdentity(revealSecret(identity).trim());
  } catch {
    throw vaultError("VAULT_IMPORT_LOCKED", "That is no age identity.", {
      hint: "It is the line that begins with AGE-SECRET-KEY-1 in the file that age-keygen made",
    });
  }
  if (file.length > maxFileBytes) throw notAgeFile();
  let binary = file;
  if (isArmored(file)) {
    try {
      binary = armor.decode(new TextDecoder().decode(file));
    } catch {
      throw notAgeFile();
    }
  } else if (!startsWith(file, "age-encryption.org/")) throw notAgeFile();
  try {
    return await decrypter.decrypt(binary);
  } catch {
    throw vaultError("VAULT_IMPORT_LOCKED", "The identity does not open this file, or the file is damaged.", {
      hint: "Whoever made it names you as a recipient: npx curtainwall secret export age1…",
    });
  }
}

const notAgeFile = (): Error =>
  vaultError("VAULT_IMPORT_INVALID", "That is no age file.", {
    hint: "An export begins with:  -----BEGIN AGE ENCRYPTED FILE-----",
  });

const isArmored = (file: Uint8Array): boolean =>
  new TextDecoder().decode(file.subarray(0, 100)).trimStart().startsWith("-----BEGIN AGE");

const startsWith = (file: Uint8Array, text: string): boolean =>
  new TextDecoder().decode(file.subarray(0, text.length)) === text;
