import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Contract, EnvelopeSigner, ReleaseKeys } from "../contract/index.ts";
import { openKeyFile, openOrCreateKeyFile } from "../release/node.ts";
import { isCurtainwallError } from "../shared/index.ts";
import { makeStateFolder } from "./folders.ts";
import type { StackFolders } from "./folders.ts";

/** The public keys that a site's releases are checked against, and what of the private ones this machine holds. */
export interface SiteKeys {
  readonly pinned: ReleaseKeys;
  /** The contract pins none: both were made here, and whoever is this user can sign with them. */
  readonly isDevelopment: boolean;
  /** Undefined unless they are development keys: the real program key is none of this machine's business. */
  readonly programSigner: EnvelopeSigner | undefined;
  /** Undefined where releases are built but not published. */
  readonly releaseSigner: EnvelopeSigner | undefined;
}

/**
 * Finds a site's keys. What the contract does not pin is made, once, where only this user reads it.
 *
 * @throws {CurtainwallError} `RELEASE_KEY_UNREADABLE`, `RELEASE_KEY_EXPOSED`, `RELEASE_STORE_UNWRITABLE`
 */
export async function findSiteKeys({ keys }: Contract, folders: StackFolders): Promise<SiteKeys> {
  if (keys !== undefined) {
    const releaseSigner = await openIfThere(folders.releaseKeyFile);
    const isOurs = releaseSigner?.publicKey.text === keys.release.text;
    return {
      pinned: keys,
      isDevelopment: false,
      programSigner: undefined,
      releaseSigner: isOurs ? releaseSigner : undefined,
    };
  }
  makeStateFolder(folders);
  mkdirSync(folders.keys, { recursive: true, mode: 0o700 });
  const program = await openOrCreateKeyFile(join(folders.keys, "development-program.key"));
  const release = await openOrCreateKeyFile(folders.releaseKeyFile);
  return {
    pinned: { program: program.signer.publicKey, release: release.signer.publicKey },
    isDevelopment: true,
    programSigner: program.signer,
    releaseSigner: release.signer,
  };
}

async function openIfThere(file: string): Promise<EnvelopeSigner | undefined> {
  try {
    return await openKeyFile(file);
  } catch (error) {
    if (isCurtainwallError(error, "RELEASE_KEY_MISSING")) return undefined;
    throw error;
  }
}
