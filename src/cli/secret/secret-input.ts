import { existsSync } from "node:fs";
import type { ContractSecret, EnvironmentName } from "../../contract/index.ts";
import { CurtainwallError, nearest } from "../../shared/index.ts";
import type { Secret } from "../../shared/index.ts";
import {
  environmentOf,
  forbidCoreDumps,
  hasContract,
  loadContract,
  stackFolders,
  storeFile,
  withVault,
} from "../../stack/index.ts";
import type { LoadedContract, StackFolders, VaultVisit, WithVaultOptions } from "../../stack/index.ts";
import { usageError } from "../command.ts";
import type { CommandInput } from "../command.ts";
import { environmentNamed } from "./environment-named.ts";
import { askPassphrase } from "./passphrase.ts";
import { say, styled } from "../voice.ts";

/** Whose secrets a command is about. */
export interface SecretsOfSite {
  readonly loaded: LoadedContract;
  readonly folders: StackFolders;
  readonly environment: EnvironmentName;
  /** Whether there is a store of that environment. */
  readonly hasStore: boolean;
}

/** Reads the contract and the environment. What follows an action and is no folder may be a secret: it is not repeated. */
export async function openSite(
  { values }: Pick<CommandInput, "values">,
  folders: readonly string[],
): Promise<SecretsOfSite> {
  const [folder = ".", ...more] = folders;
  if (more.length > 0 || (folder !== "." && !hasContract(folder))) throw argumentRefused();
  const loaded = await loadContract(folder);
  const environment = environmentOf(
    loaded.contract,
    environmentNamed(values.get("environment"), secretUsage),
  );
  const places = stackFolders(loaded.root);
  return { loaded, folders: places, environment, hasStore: existsSync(storeFile(places, environment)) };
}

/** How the command is called, for errors. */
export const secretUsage = { name: "secret", usage: "set <NAME> | list | …   --help says all" };

function argumentRefused(): CurtainwallError {
  return new CurtainwallError(
    "CLI_USAGE_INVALID",
    "There is an argument too many, which is not the folder of a contract. If it is a secret's value: it is in this machine's list of processes and your shell's history now, so replace it where it is issued.",
    { hint: "A value is asked for, or comes through stdin:  npx curtainwall secret set NAME < file" },
  );
}

/** The secret that the contract declares under a name. @throws {CurtainwallError} `CLI_USAGE_INVALID` */
export function declaredSecret({ contract }: LoadedContract, name: string | undefined): ContractSecret {
  const known = [...contract.secrets.keys()];
  if (name === undefined) throw usageError("Name the secret, as the contract does", secretUsage);
  const secret = contract.secrets.get(name);
  if (secret !== undefined) return secret;
  const meant = nearest(name, known);
  throw new CurtainwallError("CLI_USAGE_INVALID", "The contract declares no secret of that name.", {
    hint:
      known.length === 0
        ? `It declares none:  secrets: { DELIVERY_KEY: secret({ use: "GET https://…", by: fn("…"), inject: bearer() }) },`
        : `${meant === undefined ? "" : `Did you mean ${meant}?  `}It declares:  ${known.join(" ")}`,
  });
}

/** Starts the vault for a command; asks for its passphrase if it has one. */
export async function visitVault<Result>(
  { loaded, environment, hasStore }: SecretsOfSite,
  { values }: Pick<CommandInput, "values">,
  visit: (vault: VaultVisit) => Promise<Result>,
  options: Omit<WithVaultOptions, "environment" | "passphrase"> & { stdinIsTaken?: boolean } = {},
): Promise<Result> {
  const { stdinIsTaken = false, ...others } = options;
  const passphrase = await passphraseOf(loaded, values.get("passphrase-fd"), !hasStore, stdinIsTaken);
  const onKeyMade = (file: string): void =>
    say(
      `${styled("green", "made")} ${file}, the key of the ${environment} secrets: whoever has it and the store beside it has them.`,
    );
  return withVault(loaded, { environment, passphrase, onKeyMade, ...others }, visit);
}

/** The passphrase of a vault that has one; asked for twice when it is about to become the key of a new store. */
async function passphraseOf(
  { contract }: Pick<LoadedContract, "contract">,
  fd: string | undefined,
  isNew: boolean,
  stdinIsTaken = false,
): Promise<Secret | undefined> {
  if (contract.vault.key?.kind !== "passphrase") return undefined;
  if (fd === undefined && stdinIsTaken)
    throw new CurtainwallError(
      "CLI_USAGE_INVALID",
      "The value comes through stdin, so the vault's passphrase can't come through it too.",
      {
        hint: "node_modules/.bin/curtainwall secret set NAME --passphrase-fd 3 3< passphrase-file < value-file",
      },
    );
  forbidCoreDumps();
  return askPassphrase(isNew ? "Passphrase of the new vault" : "Passphrase of the vault", { fd }, isNew);
}
