import { createPrivateKey } from "node:crypto";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { parsePublicKey } from "../../contract/index.ts";
import type { Contract, EnvelopeSigner, EnvironmentName, ReleasePublicKey } from "../../contract/index.ts";
import { openKeyFile, writeWhole } from "../../release/node.ts";
import type { Secret } from "../../shared/index.ts";
import { makeStateFolder } from "../folders.ts";
import type { StackFolders } from "../folders.ts";
import { forbidCoreDumps } from "../isolation/no-core-dump.ts";
import { keepBuildKey } from "./build-key.ts";
import { environmentOf } from "./environments.ts";
import { withVault } from "./with-vault.ts";
import type { VaultVisit } from "./with-vault.ts";

/** Asks for the passphrase of a vault. Undefined: there is nobody to ask. */
export type AskPassphrase = (environment: EnvironmentName) => Promise<Secret | undefined>;

/** A release key whose private half no process but the vault's ever has. */
export interface VaultReleaseKey {
  readonly publicKey: ReleasePublicKey;
  /** Lends what signs with it, as long as `use` takes. */
  withSigner<Result>(use: (signer: EnvelopeSigner) => Promise<Result>): Promise<Result>;
}

type Site = Pick<Contract, "origin" | "vault">;

const publicFile = ({ keys }: StackFolders): string => join(keys, "release.pub");

/**
 * The public half of the key that lies in the vault, or will: of a file that was not handed over yet, that one's. Undefined before there
 * is any. Starts no process.
 */
async function readVaultReleaseKey(folders: StackFolders): Promise<ReleasePublicKey | undefined> {
  if (existsSync(folders.releaseKeyFile)) return (await openKeyFile(folders.releaseKeyFile)).publicKey;
  const file = publicFile(folders);
  return existsSync(file) ? parsePublicKey(readFileSync(file, "utf8").trim()) : undefined;
}

/**
 * Finds the release key of a site that has a vault. One that lies in a file is handed over first, once; where there is none the vault
 * makes one, if `create`.
 *
 * @throws {CurtainwallError} what `withVault` and reading the file throw
 */
export async function findVaultReleaseKey(
  contract: Site,
  folders: StackFolders,
  {
    create,
    askPassphrase = async () => undefined,
  }: { create: boolean; askPassphrase?: AskPassphrase | undefined },
): Promise<VaultReleaseKey | undefined> {
  const visit = async <Result>(use: (vault: VaultVisit) => Promise<Result>): Promise<Result> => {
    const environment = environmentOf(contract);
    let passphrase: Secret | undefined;
    if (contract.vault.key?.kind === "passphrase") {
      forbidCoreDumps();
      passphrase = await askPassphrase(environment);
    }
    return withVault(
      { contract, root: folders.root },
      { environment, passphrase, create: true },
      async (vault) => {
        await handOver(vault, folders);
        return use(vault);
      },
    );
  };
  const known = await readVaultReleaseKey(folders);
  if (known === undefined && !create) return undefined;
  keepBuildKey(folders);
  const publicKey =
    known ??
    (await visit(async (vault) => {
      const made = (await vault.signer("release")).publicKey;
      keepPublic(folders, made);
      return made;
    }));
  return {
    publicKey,
    withSigner: (use) =>
      visit(async (vault) => {
        const signer = await vault.signer("release");
        // The store was made anew: what it signs is checked with its own key.
        if (signer.publicKey.text !== publicKey.text) keepPublic(folders, signer.publicKey);
        return use(signer);
      }),
  };
}

/** Takes a key that lies in a file into the vault. The file goes when the vault has it on disk: killed in between there are both, never none. */
async function handOver(vault: VaultVisit, folders: StackFolders): Promise<void> {
  const { releaseKeyFile } = folders;
  if (!existsSync(releaseKeyFile)) return;
  // Opened first as any key file is: not one that others may read.
  await openKeyFile(releaseKeyFile);
  const pkcs8 = createPrivateKey(readFileSync(releaseKeyFile)).export({ type: "pkcs8", format: "der" });
  try {
    keepPublic(folders, await vault.importKey("release", pkcs8));
  } finally {
    pkcs8.fill(0);
  }
  for (const file of [releaseKeyFile, `${releaseKeyFile}.pub`]) rmSync(file, { force: true });
}

function keepPublic(folders: StackFolders, { text }: ReleasePublicKey): void {
  makeStateFolder(folders);
  writeWhole(publicFile(folders), Buffer.from(`${text}\n`), 0o644);
}
