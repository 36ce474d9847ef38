import type { AuditOptions, GrantUse, Missing, SecretsProbe } from "../../audit/index.ts";
import {
  askEgress,
  environmentOf,
  findPlainSecrets,
  outputFingerprints,
  searchProcesses,
  stackFolders,
} from "../../stack/index.ts";
import type { LoadedContract } from "../../stack/index.ts";
import { runningStack } from "./audit-machine.ts";
import { usesOfSecret } from "../secret/secret-uses.ts";
import { readsOfVault } from "./vault-reads.ts";

/** What an audit on the stack's own machine can see of its secrets. */
export function secretsOf(loaded: Pick<LoadedContract, "contract" | "root">): Pick<AuditOptions, "secrets"> {
  const { contract, root } = loaded;
  if (contract.secrets.size === 0) return {};
  const { logFile } = stackFolders(root);
  const secrets: SecretsProbe = {
    environment: environmentOf(contract),
    keySource: contract.vault.key?.kind,
    plainSecrets: () => findPlainSecrets(loaded, process.env),
    searchProcesses: async () => {
      const stack = runningStack(root);
      if ("missing" in stack) return stack;
      const fingerprints = await outputFingerprints(loaded);
      return fingerprints === undefined
        ? { missing: "its vault is not on this machine" }
        : searchProcesses(stack.pid, fingerprints);
    },
    askEgress: async (asker, use) => {
      const stack = runningStack(root);
      if ("missing" in stack) return stack;
      if (stack.sockets === undefined)
        return {
          missing: "the stack that runs has no egress, or its sockets lie where this user can't see them",
        };
      try {
        return { code: await askEgress(contract, stack.sockets, asker, use) };
      } catch (error) {
        return { missing: `egress can't be asked (${codeOf(error)}): audit as root, or as the stack's user` };
      }
    },
    grantUses: () =>
      orMissing(async () => {
        const found: GrantUse[] = [];
        for (const secret of contract.secrets.values())
          for (const { user, count } of (await usesOfSecret(contract, secret, logFile)).grants)
            found.push({ secret: secret.name, user, count });
        return found;
      }),
    vaultReads: () => orMissing(() => readsOfVault(logFile)),
  };
  return { secrets };
}

async function orMissing<Found>(look: () => Promise<Found>): Promise<Found | Missing> {
  try {
    return await look();
  } catch (error) {
    return { missing: `the log can't be read (${codeOf(error)}): audit as root, or as the ledger's user` };
  }
}

const codeOf = (error: unknown): string =>
  (error as NodeJS.ErrnoException).code ?? (error instanceof Error ? error.message : "unknown");
