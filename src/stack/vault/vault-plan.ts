import { chownSync, existsSync, mkdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { Contract, EnvironmentName } from "../../contract/index.ts";
import { CurtainwallError, revealSecret } from "../../shared/index.ts";
import type { Secret } from "../../shared/index.ts";
import type { StackErrorCode } from "../errors.ts";
import { makeStateFolder } from "../folders.ts";
import type { StackFolders } from "../folders.ts";
import type { SandboxView } from "../isolation/isolation.ts";
import type { DomainUser, VaultKey, VaultPlaces } from "../processes/messages.ts";
import { makeOwnKey } from "./own-key.ts";
import { assertOwnStore, giveStore } from "./store-owner.ts";

/** Options of {@link planVault}. */
export interface PlanVaultOptions {
  readonly environment: EnvironmentName;
  /** What the contract's `key: { passphrase: true }` asks for. */
  readonly passphrase?: Secret | undefined;
}

/** A site, as far as its vault is concerned. */
export interface SiteOfVault {
  readonly contract: Pick<Contract, "origin" | "vault">;
  readonly root: string;
}

/** Where a site's vault lies, and what its sandbox shows it. */
export interface VaultPlan {
  readonly places: VaultPlaces;
  readonly view: SandboxView;
  /** Its key lies beside the store, and is made by itself: in development, unless the contract declares another. */
  readonly hasOwnKey: boolean;
}

/**
 * Says where the secrets of an environment lie and what opens them. Touches nothing.
 *
 * @throws {CurtainwallError} `VAULT_KEY_UNDECLARED`, `STACK_PASSPHRASE_MISSING`
 */
export function planVault(
  { contract, root }: SiteOfVault,
  folders: Pick<StackFolders, "state">,
  { environment, passphrase }: PlanVaultOptions,
): VaultPlan {
  const file = storeFile(folders, environment);
  const folder = dirname(file);
  const { key: declared, witnessFile } = contract.vault;
  const witness = witnessFile === undefined ? undefined : resolve(root, witnessFile);
  const hasOwnKey = environment === "development" && declared === undefined;
  if (!hasOwnKey && declared === undefined) throw keyUndeclared(environment);
  const key: VaultKey =
    declared === undefined
      ? { kind: "file", file: join(folder, "vault.key") }
      : keyOf(declared, root, passphrase);
  const directory = key.kind === "credential" ? key.directory : undefined;
  const shown = key.kind === "file" && !hasOwnKey ? [key.file] : directory === undefined ? [] : [directory];
  return {
    places: {
      environment,
      project: new URL(contract.origin).hostname,
      file,
      key,
      witnessFile: witness,
    },
    view: {
      readOnly: shown.filter((path) => existsSync(path)),
      writable: [folder, ...(witness === undefined ? [] : [dirname(witness)])],
      hidden: [],
      masked: [],
      network: false,
    },
    hasOwnKey,
  };
}

/** Where an environment's store lies. */
export const storeFile = ({ state }: Pick<StackFolders, "state">, environment: EnvironmentName): string =>
  join(state, "vault", environment, "store.db");

function keyOf(
  declared: NonNullable<Contract["vault"]["key"]>,
  root: string,
  passphrase: Secret | undefined,
): VaultKey {
  if (declared.kind === "file") return { kind: "file", file: resolve(root, declared.file) };
  if (declared.kind === "credential") {
    const directory = process.env["CREDENTIALS_DIRECTORY"];
    return { ...declared, ...(directory === undefined ? {} : { directory }) };
  }
  if (passphrase === undefined)
    throw new CurtainwallError<StackErrorCode>(
      "STACK_PASSPHRASE_MISSING",
      "The vault opens with a passphrase, and there is none.",
      {
        hint: 'Run it on a terminal, or hand the passphrase over:  npx curtainwall start < file   Without people beside the host, let systemd keep the key:  vault: { key: { credential: "curtainwall-vault" } }',
      },
    );
  return { kind: "passphrase", passphrase: revealSecret(passphrase) };
}

/**
 * Makes the folders that a vault's store and witness lie in, for its user, and in development its key. Tells whether it made the key.
 *
 * @throws {CurtainwallError} `STACK_STATE_FOREIGN`
 */
export function prepareVault(
  { places, hasOwnKey }: VaultPlan,
  folders: StackFolders,
  user: DomainUser | undefined,
): { madeKey: boolean } {
  makeStateFolder(folders);
  const folder = dirname(places.file);
  assertOwnStore(places.file, folders);
  // Others pass through to nothing: only the last folder is the vault's.
  mkdirSync(dirname(folder), { recursive: true, mode: 0o711 });
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const witness = places.witnessFile;
  if (witness !== undefined && !existsSync(dirname(witness))) {
    mkdirSync(dirname(witness), { recursive: true, mode: 0o700 });
    if (user !== undefined) chownSync(dirname(witness), user.uid, user.gid);
  }
  const { key } = places;
  const lacksKey = hasOwnKey && key.kind === "file" && !existsSync(key.file) && !existsSync(places.file);
  const madeKey = lacksKey && makeOwnKey(key.file);
  if (process.getuid?.() === 0) giveStore(places.file, user ?? { uid: 0, gid: 0 });
  return { madeKey };
}

function keyUndeclared(environment: EnvironmentName): CurtainwallError<StackErrorCode> {
  return new CurtainwallError(
    "VAULT_KEY_UNDECLARED",
    `The contract does not say what opens the vault of ${environment}.`,
    {
      hint: [
        "Choose one, and keep a copy of the key where you find it in five years:",
        "  a file        (umask 077; head -c 32 /dev/urandom > /etc/curtainwall/vault.key)",
        '                vault: { key: { file: "/etc/curtainwall/vault.key" } },',
        "  systemd       head -c 32 /dev/urandom | systemd-creds encrypt --name=curtainwall-vault - /etc/credstore.encrypted/curtainwall-vault",
        '                vault: { key: { credential: "curtainwall-vault" } },   and in the unit  LoadCredentialEncrypted=curtainwall-vault',
        "  a passphrase  vault: { key: { passphrase: true } },   asked for at each start",
      ].join("\n"),
    },
  );
}
