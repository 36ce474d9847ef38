import { argon2, hkdfSync } from "node:crypto";
import { join } from "node:path";
import { promisify } from "node:util";
import { revealSecret } from "../../shared/index.ts";
import type { Secret } from "../../shared/index.ts";
import type { KeySource, LoadedKey } from "../types.ts";
import { vaultError } from "./fail.ts";
import { openPrivateFile, readAtMost } from "./private-file.ts";
import type { PrivateFileWords } from "./private-file.ts";

/** What a store keeps beside its key: what makes the key another one in each store, and what stretching costs. */
export interface KeyParameters {
  readonly kind: KeySource["kind"];
  readonly salt: Uint8Array;
  /** KiB of memory, passes and lanes of Argon2id. All 0 for a key that needs no stretching. */
  readonly memoryKib: number;
  readonly passes: number;
  readonly parallelism: number;
}

const kinds: readonly string[] = ["passphrase", "file", "credential"] satisfies KeySource["kind"][];
const keyBytes = 32;
/** RFC 9106 §4, its second choice, with fewer lanes: Node computes them one after the other. */
const stretching = { memoryKib: 65_536, passes: 3, parallelism: 1 };
/** What a store may ask for: whoever changes the file must not make its opening cheap to guess at, or the machine's end. */
const bounds = { memoryKib: [19_456, 1_048_576], passes: [1, 32], parallelism: [1, 16] } as const;

const derivations = new WeakMap<LoadedKey, (parameters: KeyParameters) => Promise<Uint8Array>>();
const stretch = promisify(argon2);

/**
 * Reads a key from its source, so that the process may give up the right to read it before it opens the store.
 *
 * @throws {CurtainwallError} `VAULT_KEY_MISSING`; `VAULT_KEY_EXPOSED` when others may read it; `VAULT_KEY_INVALID` when it is not 32 bytes
 */
export function loadKey(source: KeySource | LoadedKey): LoadedKey {
  if ("forget" in source) return source;
  if (source.kind === "passphrase") return fromPassphrase(source.passphrase);
  return fromBytes(source.kind, source.kind === "file" ? readKeyFile(source.file) : readCredential(source));
}

/** Does something with a key, which is overwritten afterwards if it was read for this. */
export async function useKey<Result>(
  source: KeySource | LoadedKey,
  work: (key: LoadedKey) => Promise<Result>,
): Promise<Result> {
  const key = loadKey(source);
  try {
    return await work(key);
  } finally {
    if (key !== source) key.forget();
  }
}

/** The root that a loaded key gives with a store's parameters. */
export function deriveRoot(key: LoadedKey, parameters: KeyParameters): Promise<Uint8Array> {
  const derive = derivations.get(key);
  if (derive === undefined || key.kind !== parameters.kind)
    throw vaultError(
      "VAULT_KEY_WRONG",
      `This store is opened by a ${parameters.kind}, not by a ${key.kind}.`,
      {
        hint: "Name in the contract what opens it:  vault: { key: … }",
      },
    );
  return derive(parameters);
}

/** The parameters that a new store of that kind of key begins with. */
export const newParameters = (kind: KeySource["kind"], salt: Uint8Array): KeyParameters => ({
  kind,
  salt,
  ...(kind === "passphrase" ? stretching : { memoryKib: 0, passes: 0, parallelism: 0 }),
});

/** Tells whether parameters that were read from a file are ones to compute with. */
export function areSensible(parameters: KeyParameters): boolean {
  const costs = ["memoryKib", "passes", "parallelism"] as const;
  if (parameters.salt.length !== 32 || !kinds.includes(parameters.kind)) return false;
  if (parameters.kind !== "passphrase") return costs.every((cost) => parameters[cost] === 0);
  return costs.every((cost) => parameters[cost] >= bounds[cost][0] && parameters[cost] <= bounds[cost][1]);
}

function fromPassphrase(passphrase: Secret): LoadedKey {
  if (revealSecret(passphrase) === "") throw vaultError("VAULT_KEY_INVALID", "The passphrase is empty.");
  return loaded("passphrase", {
    derive: (parameters) => stretchPassphrase(revealSecret(passphrase), parameters),
    forget() {},
  });
}

/** Argon2id of a passphrase, in Unicode's composed form: the same words from two keyboards are one passphrase. */
async function stretchPassphrase(passphrase: string, parameters: KeyParameters): Promise<Uint8Array> {
  const message = Buffer.from(passphrase.normalize("NFC"));
  try {
    return await stretch("argon2id", {
      message,
      nonce: parameters.salt,
      memory: parameters.memoryKib,
      passes: parameters.passes,
      parallelism: parameters.parallelism,
      tagLength: keyBytes,
    });
  } finally {
    message.fill(0);
  }
}

function fromBytes(kind: "file" | "credential", bytes: Buffer): LoadedKey {
  return loaded(kind, {
    derive: async ({ salt }) =>
      Buffer.from(hkdfSync("sha256", bytes, salt, "curtainwall vault key 1", keyBytes)),
    forget: () => bytes.fill(0),
  });
}

function loaded(
  kind: KeySource["kind"],
  { derive, forget }: { derive: (parameters: KeyParameters) => Promise<Uint8Array>; forget: () => void },
): LoadedKey {
  const key: LoadedKey = {
    kind,
    forget() {
      derivations.delete(key);
      forget();
    },
  };
  derivations.set(key, derive);
  return key;
}

function readKeyFile(file: string): Buffer {
  return readKey(file, {
    what: `The key file ${file}`,
    hint: `Make one:  (umask 077; head -c 32 /dev/urandom > ${file})   A lost key can't be had again, nor what it sealed`,
  });
}

function readCredential({ name, directory = process.env.CREDENTIALS_DIRECTORY }: CredentialSource): Buffer {
  const hint = `Start it with systemd:  LoadCredentialEncrypted=${name}:/etc/credstore.encrypted/${name}`;
  if (!/^[A-Za-z0-9._-]{1,255}$/.test(name) || /^\.+$/.test(name))
    throw vaultError("VAULT_KEY_INVALID", "A credential's name is letters, digits, '.', '_' and '-'.");
  if (directory === undefined)
    throw vaultError(
      "VAULT_KEY_MISSING",
      `There is no credential ${name}: CREDENTIALS_DIRECTORY is not set.`,
      {
        hint,
      },
    );
  // systemd shows it to the service's user by an access list, which a mode shows as its group's right.
  return readKey(join(directory, name), { what: `The credential ${name}`, hint, forbiddenMode: 0o037 });
}

type CredentialSource = Extract<KeySource, { kind: "credential" }>;

function readKey(file: string, words: Pick<PrivateFileWords, "what" | "hint" | "forbiddenMode">): Buffer {
  const codes = {
    missing: "VAULT_KEY_MISSING",
    exposed: "VAULT_KEY_EXPOSED",
    unusable: "VAULT_KEY_MISSING",
  } as const;
  const bytes = readAtMost(openPrivateFile(file, { ...codes, ...words }), keyBytes + 1);
  if (bytes.length === keyBytes) return bytes;
  bytes.fill(0);
  throw vaultError("VAULT_KEY_INVALID", `${words.what} has not exactly ${keyBytes} bytes.`, {
    hint: words.hint,
  });
}
