import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Contract, EnvelopeSigner, ReleaseKeys } from "../../contract/index.ts";
import { openKeyFile, openOrCreateKeyFile } from "../../release/node.ts";
import { isCurtainwallError } from "../../shared/index.ts";
import { makeStateFolder } from "../folders.ts";
import type { StackFolders } from "../folders.ts";
import { hasVault } from "../vault/has-vault.ts";
import { findVaultReleaseKey } from "../vault/release-key.ts";
import type { AskPassphrase, VaultReleaseKey } from "../vault/release-key.ts";

/** The public keys that a site's releases are checked against, and what of the private ones this machine holds. */
export interface SiteKeys {
  readonly pinned: ReleaseKeys;
  /** The contract pins none: both were made here, and whoever is this user can sign with them. */
  readonly isDevelopment: boolean;
  /** Undefined unless they are development keys: the real program key is none of this machine's business. */
  readonly programSigner: EnvelopeSigner | undefined;
  /** False where releases are built but not published. */
  readonly canSignReleases: boolean;
  /** Lends the release key, from its file or from the vault, as long as `use` takes. */
  withReleaseSigner<Result>(use: (signer: EnvelopeSigner) => Promise<Result>): Promise<Result>;
}

/** Options of {@link findSiteKeys}. */
export interface FindKeysOptions {
  /** Asks for the passphrase of the vault, when that is where the release key is and a passphrase opens it. Default: there is nobody to ask. */
  askPassphrase?: AskPassphrase | undefined;
  /** Keys that were found before, for who publishes often. Default: they are looked for. */
  keys?: SiteKeys | undefined;
}

/**
 * Finds a site's keys. What the contract does not pin is made, once, where only this user reads it.
 *
 * @throws {CurtainwallError} `RELEASE_KEY_UNREADABLE`, `RELEASE_KEY_EXPOSED`, `RELEASE_STORE_UNWRITABLE`
 */
export async function findSiteKeys(
  contract: Contract,
  folders: StackFolders,
  { askPassphrase, keys: found }: FindKeysOptions = {},
): Promise<SiteKeys> {
  if (found !== undefined) return found;
  const { keys } = contract;
  const create = keys === undefined;
  const held = hasVault(contract)
    ? await findVaultReleaseKey(contract, folders, { create, askPassphrase })
    : await findReleaseFile(folders, create);
  if (keys !== undefined) {
    return {
      pinned: keys,
      isDevelopment: false,
      programSigner: undefined,
      canSignReleases: held?.publicKey.text === keys.release.text,
      withReleaseSigner: (use) => lend(held, use),
    };
  }
  makeStateFolder(folders);
  mkdirSync(folders.keys, { recursive: true, mode: 0o700 });
  const program = await openOrCreateKeyFile(join(folders.keys, "development-program.key"));
  if (held === undefined) throw new Error("there is no release key");
  return {
    pinned: { program: program.signer.publicKey, release: held.publicKey },
    isDevelopment: true,
    programSigner: program.signer,
    canSignReleases: true,
    withReleaseSigner: held.withSigner,
  };
}

const lend: <Result>(
  held: VaultReleaseKey | undefined,
  use: (signer: EnvelopeSigner) => Promise<Result>,
) => Promise<Result> = (held, use) => {
  if (held === undefined) throw new Error("there is no release key here");
  return held.withSigner(use);
};

async function findReleaseFile(folders: StackFolders, create: boolean): Promise<VaultReleaseKey | undefined> {
  if (create) {
    makeStateFolder(folders);
    mkdirSync(folders.keys, { recursive: true, mode: 0o700 });
  }
  const signer = create
    ? (await openOrCreateKeyFile(folders.releaseKeyFile)).signer
    : await openIfThere(folders.releaseKeyFile);
  return signer === undefined ? undefined : { publicKey: signer.publicKey, withSigner: (use) => use(signer) };
}

async function openIfThere(file: string): Promise<EnvelopeSigner | undefined> {
  try {
    return await openKeyFile(file);
  } catch (error) {
    if (isCurtainwallError(error, "RELEASE_KEY_MISSING")) return undefined;
    throw error;
  }
}
