import { parsePublicKey } from "../../contract/index.ts";
import type { Contract, EnvelopeSigner } from "../../contract/index.ts";
import type { ValueFingerprints } from "../../harden/fingerprints.ts";
import { openKeyFile } from "../../release/node.ts";
import type { StackFolders } from "../folders.ts";
import { environmentOf } from "./environments.ts";
import { hasVault } from "./has-vault.ts";
import { withVault } from "./with-vault.ts";

/** A site's vault as it was when the site was built, as JSON can say it. */
export interface VaultOfBuild {
  readonly declared: Contract["vault"];
  /** Which versions of which secrets the build was searched for. Undefined: the contract declares none. */
  readonly versions: readonly string[] | undefined;
}

/** What publishes a page by itself asks for. */
export interface PageSigner {
  readonly signer: EnvelopeSigner;
  /** What the vault's values are recognised by. Undefined: there are none. */
  readonly fingerprints: ValueFingerprints | undefined;
}

/** Options of {@link withPageSigner}. */
export interface PageSignerOptions {
  readonly origin: string;
  /** Undefined: there is no vault, and the release key lies in its file. */
  readonly vault: VaultOfBuild | undefined;
  /** The key that the site's releases are checked against. */
  readonly publicKey: string;
  readonly folders: StackFolders;
}

/**
 * What a page that is made by itself later has to know of the vault. Undefined: no page can be, since a passphrase would have to be
 * asked for, which a whole build does.
 */
export function vaultOfBuild(
  contract: Pick<Contract, "secrets" | "vault">,
  fingerprints: ValueFingerprints | undefined,
): { readonly vault: VaultOfBuild | undefined } | undefined {
  const { secrets, vault: declared } = contract;
  if (!hasVault(contract)) return { vault: undefined };
  if (declared.key?.kind === "passphrase") return undefined;
  return {
    vault: { declared, versions: secrets.size === 0 ? undefined : (fingerprints?.versions ?? []) },
  };
}

/**
 * Lends what signs releases, and what says which values no page may hold: of a vault that is started once for both. Undefined when the key is
 * another than that of the releases before, or a secret has another value than the other pages were searched for.
 *
 * @throws {CurtainwallError} what `withVault` and reading the key's file throw
 */
export async function withPageSigner<Result>(
  { origin, vault, publicKey, folders }: PageSignerOptions,
  use: (signer: PageSigner) => Promise<Result>,
): Promise<Result | undefined> {
  const isKnown = ({ publicKey: { text } }: EnvelopeSigner): boolean =>
    text === parsePublicKey(publicKey)?.text;
  if (vault === undefined) {
    const signer = await openKeyFile(folders.releaseKeyFile);
    return isKnown(signer) ? use({ signer, fingerprints: undefined }) : undefined;
  }
  const { declared, versions } = vault;
  const site = { contract: { origin, vault: declared }, root: folders.root };
  return withVault(site, { environment: environmentOf({ origin }) }, async (visit) => {
    const fingerprints = versions === undefined ? undefined : await visit.fingerprints();
    if (fingerprints !== undefined && !isSame(fingerprints.versions, versions)) return undefined;
    const signer = await visit.signer("release");
    return isKnown(signer) ? use({ signer, fingerprints }) : undefined;
  });
}

const isSame = (left: readonly string[], right: readonly string[] = []): boolean =>
  left.length === right.length && left.every((version) => right.includes(version));
