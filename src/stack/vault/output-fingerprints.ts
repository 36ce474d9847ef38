import { existsSync } from "node:fs";
import type { EnvironmentName } from "../../contract/index.ts";
import type { ValueFingerprints } from "../../harden/fingerprints.ts";
import { isCurtainwallError } from "../../shared/index.ts";
import { stackFolders } from "../folders.ts";
import type { LoadedContract } from "../contract/load-contract.ts";
import { environmentOf } from "./environments.ts";
import { storeFile } from "./vault-plan.ts";
import { withVault } from "./with-vault.ts";
import type { WithVaultOptions } from "./with-vault.ts";

/** Options of {@link outputFingerprints}. */
export interface OutputFingerprintsOptions extends Pick<WithVaultOptions, "passphrase" | "isolation"> {
  /** Whose secrets. Default: the contract's origin says. */
  environment?: EnvironmentName;
}

/**
 * What the vault's values are recognised by in what is published. Undefined: there are none on this machine. A vault that can't be opened here
 * gives none, and says of each secret why it is not searched for.
 */
export async function outputFingerprints(
  loaded: Pick<LoadedContract, "contract" | "root">,
  { environment, ...options }: OutputFingerprintsOptions = {},
): Promise<ValueFingerprints | undefined> {
  const { secrets } = loaded.contract;
  const whose = environmentOf(loaded.contract, environment);
  if (secrets.size === 0 || !existsSync(storeFile(stackFolders(loaded.root), whose))) return undefined;
  try {
    return await withVault(loaded, { ...options, environment: whose }, (vault) => vault.fingerprints());
  } catch (error) {
    if (!isCurtainwallError(error)) throw error;
    const reason = `the vault of ${whose} can't be asked here: ${error.message}`;
    const notSearched = [...secrets.keys()].map((name) => ({ kind: "value" as const, name, reason }));
    return { salt: "", prints: [], windows: [], classes: [], versions: [], notSearched };
  }
}
