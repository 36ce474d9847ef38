import { lchownSync, lstatSync } from "node:fs";
import { flushCompileCache } from "node:module";
import { basename, dirname, join } from "node:path";
import { Secret, isCurtainwallError } from "../../shared/index.ts";
import type { KeySource, LoadedKey, OpenVaultOptions, Vault } from "../../vault/index.ts";
import { createVault, loadKey, openVault } from "../../vault/node.ts";
import { becomeUser } from "../domains/become.ts";
import type { DomainUser, VaultKey, VaultPlaces } from "../processes/messages.ts";
import { storeFiles } from "./store-files.ts";
import { storeMissing } from "./store-missing.ts";

/** What opening a store takes beside its places. */
export interface OpenStoreOptions extends VaultPlaces {
  readonly user: DomainUser | undefined;
  readonly by?: string;
  readonly acceptWitness?: string | undefined;
  readonly rewrapWith?: VaultKey | undefined;
}

/** A store that is open, and the key that it may be asked to change to. */
export interface OpenStore {
  readonly vault: Vault;
  readonly nextKey: LoadedKey | undefined;
  /** The files that were opened. */
  readonly files: string;
}

/**
 * Opens a vault's store, and becomes the vault's user. What that user may not reach is read before: the key, and folders above the
 * store's; each file that root makes on the way is given to the user.
 *
 * @throws {CurtainwallError} `STACK_VAULT_MISSING`; what `openVault` and `createVault` throw
 */
export async function openStore(
  { user, rewrapWith, by = "a stack", ...places }: OpenStoreOptions,
  { mayCreate }: { mayCreate: boolean },
): Promise<OpenStore> {
  const { environment, project, file, key } = places;
  const isThere = lstatSync(file, { throwIfNoEntry: false }) !== undefined;
  if (!isThere && !mayCreate) throw storeMissing(environment);
  // By its folder from now on: once root is given up, those above it may be out of reach.
  const folder = dirname(file);
  process.chdir(dirname(folder));
  const name = join(basename(folder), basename(file));
  const options = {
    file: name,
    shownAs: file,
    environment,
    project,
    by,
    kek: loadKey(sourceOf(key)),
    witness: witnessOf(places),
  };
  const nextKey = rewrapWith === undefined ? undefined : loadKey(sourceOf(rewrapWith));
  const vault = isThere ? await openVault(options) : await createOrOpen(options);
  try {
    if (user !== undefined) giveFiles([name, `${name}-wal`, `${name}-shm`, places.witnessFile], user);
    // At its end it is another user, who may not write there.
    flushCompileCache();
    const files = storeFiles(name);
    becomeUser(user);
    return { vault, nextKey, files };
  } catch (error) {
    vault.close();
    throw error;
  }
}

/** Of two processes that make a store at once one does; the other opens that. */
async function createOrOpen(options: OpenVaultOptions): Promise<Vault> {
  try {
    return await createVault(options);
  } catch (error) {
    if (isCurtainwallError(error, "VAULT_EXISTS")) return openVault(options);
    throw error;
  }
}

function sourceOf(key: VaultKey): KeySource {
  return key.kind === "passphrase" ? { kind: key.kind, passphrase: new Secret(key.passphrase) } : key;
}

function witnessOf({
  witnessFile: file,
  acceptWitness,
}: Pick<OpenStoreOptions, "witnessFile" | "acceptWitness">):
  | { file: string; insecureAccept?: string }
  | undefined {
  if (file === undefined) return undefined;
  return acceptWitness === undefined ? { file } : { file, insecureAccept: acceptWitness };
}

/** SQLite's two files beside the store come and go; a link in their place is not followed. */
function giveFiles(files: readonly (string | undefined)[], { uid, gid }: DomainUser): void {
  for (const file of files) {
    const stats = file === undefined ? undefined : lstatSync(file, { throwIfNoEntry: false });
    if (file !== undefined && stats?.isFile() === true && stats.uid !== uid) lchownSync(file, uid, gid);
  }
}
