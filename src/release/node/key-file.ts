import { createPrivateKey, createPublicKey, generateKeyPairSync, sign } from "node:crypto";
import type { KeyObject } from "node:crypto";
import {
  closeSync,
  existsSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, resolve } from "node:path";
import { parsePublicKey, publicKeyOf } from "../../contract/index.ts";
import type { EnvelopeSigner, ReleasePublicKey } from "../../contract/index.ts";
import { CurtainwallError, revealSecret } from "../../shared/index.ts";
import type { Secret } from "../../shared/index.ts";
import type { ReleaseErrorCode } from "../errors.ts";
import { encryptPrivateKey } from "./pkcs8.ts";
import { syncFolder, writeDraft } from "./durable.ts";

/**
 * Makes an Ed25519 key and writes it as PKCS#8, readable by its owner only, with its public half beside it in `<file>.pub`.
 *
 * @param passphrase undefined: the file is not encrypted, and whoever can read it can sign
 * @throws {CurtainwallError} `RELEASE_KEY_EXISTS`; `RELEASE_STORE_UNWRITABLE`
 */
export function createKeyFile(file: string, passphrase: Secret | undefined): ReleasePublicKey {
  const { privateKey } = generateKeyPairSync("ed25519");
  const pem =
    passphrase === undefined
      ? privateKey.export({ type: "pkcs8", format: "pem" })
      : encryptPrivateKey(privateKey, revealSecret(passphrase));
  const publicKey = publicHalf(privateKey);
  if (lstatSync(`${file}.pub`, { throwIfNoEntry: false }) !== undefined) throw keyExists(`${file}.pub`);
  try {
    mkdirSync(dirname(resolve(file)), { recursive: true, mode: 0o700 });
    writeDraft(file, Buffer.from(pem), 0o600);
    writeFileSync(`${file}.pub`, `${publicKey.text}\n`, { mode: 0o644, flag: "wx" });
    syncFolder(dirname(resolve(file)));
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "EEXIST") throw keyExists(file);
    throw keyError("RELEASE_STORE_UNWRITABLE", `${file} can't be written: ${code}.`, { cause });
  }
  return publicKey;
}

function keyExists(file: string): CurtainwallError<ReleaseErrorCode> {
  return keyError("RELEASE_KEY_EXISTS", `There is a key in ${file} already.`, {
    hint: "Choose another name. A key that is replaced can't be had again, and what it signed needs it",
  });
}

/** Options of {@link openKeyFile}. */
export interface OpenKeyOptions {
  /** Asked for when the file is encrypted. Default: there is nobody to ask. */
  passphrase?: () => Promise<Secret>;
}

/**
 * Opens a key file to sign with.
 *
 * @throws {CurtainwallError} `RELEASE_KEY_MISSING`; `RELEASE_KEY_EXPOSED` when others than its owner may read it;
 *   `RELEASE_KEY_LOCKED` when the passphrase is wrong or missing; `RELEASE_KEY_UNREADABLE`
 */
export async function openKeyFile(
  file: string,
  { passphrase }: OpenKeyOptions = {},
): Promise<EnvelopeSigner> {
  const pem = readPrivateFile(file);
  const isLocked = isEncrypted(pem);
  if (isLocked && passphrase === undefined) {
    throw keyError("RELEASE_KEY_LOCKED", `The key in ${file} needs its passphrase.`, {
      hint: "Run the command in a terminal, or hand it over:  < file",
    });
  }
  const key = decode(file, pem, isLocked ? await passphrase?.() : undefined);
  return { publicKey: publicHalf(key), sign: (message) => sign(null, message, key) };
}

/**
 * Reads the public half of a key file. Of an encrypted one from `<file>.pub`, if only the key's owner can have written that: a key that
 * anybody may see takes no passphrase. Otherwise the key itself is opened.
 *
 * @throws {CurtainwallError} like {@link openKeyFile}
 */
export async function readPublicHalf(file: string, options: OpenKeyOptions = {}): Promise<ReleasePublicKey> {
  const beside = isEncrypted(readPrivateFile(file)) ? halfBeside(file) : undefined;
  return beside ?? (await openKeyFile(file, options)).publicKey;
}

function halfBeside(file: string): ReleasePublicKey | undefined {
  const key = statSync(file);
  const half = lstatSync(`${file}.pub`, { throwIfNoEntry: false });
  const isOwn = half?.isFile() === true && half.uid === key.uid && (half.mode & 0o022) === 0;
  return isOwn && half.size < 1_000 ? parsePublicKey(readFileSync(`${file}.pub`, "utf8").trim()) : undefined;
}

const isEncrypted = (pem: string): boolean => pem.includes("-----BEGIN ENCRYPTED PRIVATE KEY-----");

function readPrivateFile(file: string): string {
  let fd: number;
  try {
    fd = openSync(file, "r");
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT") {
      throw keyError("RELEASE_KEY_MISSING", `There is no key in ${file}.`, {
        hint: "Make one: npx curtainwall key new <file>. A lost key can't be restored: pin a new one in the contract, and sign again",
      });
    }
    throw keyError("RELEASE_KEY_UNREADABLE", `The key in ${file} can't be read: ${code}.`, { cause });
  }
  try {
    const status = fstatSync(fd);
    if (!status.isFile()) throw keyError("RELEASE_KEY_UNREADABLE", `${file} is no file, so it holds no key.`);
    // Its mode says nothing bad of the half that is meant to be read.
    if (file.endsWith(".pub"))
      throw keyError(
        "RELEASE_KEY_UNREADABLE",
        `${file} holds the public half of a key, which signs nothing.`,
        {
          hint: `The private one is beside it:  ${file.slice(0, -".pub".length)}`,
        },
      );
    if ((status.mode & 0o077) !== 0) {
      throw keyError("RELEASE_KEY_EXPOSED", `The key in ${file} can be read by others than its owner.`, {
        hint: `chmod 600 ${file}   And if somebody may have read it, make a new one`,
      });
    }
    return readFileSync(fd, "utf8");
  } finally {
    closeSync(fd);
  }
}

function decode(file: string, pem: string, passphrase: Secret | undefined): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey(
      passphrase === undefined ? pem : { key: pem, passphrase: revealSecret(passphrase) },
    );
  } catch (cause) {
    if (passphrase !== undefined)
      throw keyError("RELEASE_KEY_LOCKED", `The passphrase does not open the key in ${file}.`, {
        cause,
        hint: "Try again: a passphrase is taken as it is typed, spaces too. A lost one can't be restored",
      });
    const isSsh = pem.includes("OPENSSH PRIVATE KEY");
    throw keyError("RELEASE_KEY_UNREADABLE", `The file ${file} holds no private key in PKCS#8.`, {
      cause,
      ...(isSsh ? { hint: `It is an OpenSSH key:  --ssh ${file}` } : {}),
    });
  }
  if (key.asymmetricKeyType !== "ed25519")
    throw keyError("RELEASE_KEY_UNREADABLE", `The key in ${file} is ${key.asymmetricKeyType}, not Ed25519.`);
  return key;
}

function publicHalf(key: KeyObject): ReleasePublicKey {
  const { x = "" } = createPublicKey(key).export({ format: "jwk" });
  return publicKeyOf(new Uint8Array(Buffer.from(x, "base64url"))) as ReleasePublicKey;
}

/** Opens the key in a file, and makes it first if there is none. Not encrypted: for keys that a host needs without its people. */
export async function openOrCreateKeyFile(file: string): Promise<{ signer: EnvelopeSigner; isNew: boolean }> {
  const isNew = !existsSync(file);
  if (isNew) {
    try {
      createKeyFile(file, undefined);
    } catch (error) {
      // Somebody else was faster.
      if ((error as { code?: string }).code !== "RELEASE_KEY_EXISTS") throw error;
    }
  }
  return { signer: await openKeyFile(file), isNew };
}

function keyError(
  code: ReleaseErrorCode,
  message: string,
  options: { hint?: string; cause?: unknown } = {},
): CurtainwallError<ReleaseErrorCode> {
  return new CurtainwallError(code, message, options);
}
