import { existsSync } from "node:fs";
import type { DomainProcess } from "../processes/launch.ts";
import type { ToVault } from "../processes/messages.ts";
import { storeMissing } from "../vault/store-missing.ts";
import { prepareVault } from "../vault/vault-plan.ts";
import type { VaultPlan } from "../vault/vault-plan.ts";
import { watchStoreFiles } from "../vault/watch-store-files.ts";
import { inheritance, socketsOfVault } from "./domain-sockets.ts";
import type { OpenSockets } from "./domain-sockets.ts";
import { whenReady } from "./keep-domain.ts";
import type { KeyInVault } from "./key-in-vault.ts";
import { launch, say, userOf } from "./surroundings.ts";
import type { Surroundings } from "./surroundings.ts";

/** What a vault is given beside what the contract says. */
export interface VaultInputs {
  readonly plan: VaultPlan;
  readonly eventsFd: number;
  readonly sockets: OpenSockets;
  /** Asks it to sign the log. */
  readonly key: KeyInVault;
  /** Whether it ran before: a store that was there then is not made anew, nor its key. */
  readonly ranBefore: boolean;
}

/** Starts the vault; resolves when it has opened its store. It sees neither the network nor the site. */
export async function startVault(
  surroundings: Surroundings,
  { plan, eventsFd, sockets, key, ranBefore }: VaultInputs,
  launched: (process: DomainProcess<ToVault>) => void,
): Promise<void> {
  const { folders, loaded } = surroundings;
  const user = userOf(surroundings, "vault");
  const { environment, file } = plan.places;
  if (ranBefore && !existsSync(file)) throw storeMissing(environment);
  const { madeKey } = prepareVault(plan, folders, user);
  if (madeKey) say(surroundings, "info", `a key for the ${environment} secrets was made`);
  const { fds, ...inherited } = inheritance(eventsFd, sockets, socketsOfVault(loaded));
  const vault = launch<ToVault>(surroundings, "vault", fds, plan.view);
  launched(vault);
  vault.control.send({
    type: "configure",
    ...plan.places,
    ...inherited,
    user,
    // Without secrets there is nothing that a store could be missing; the site's keys are made as they are needed.
    mayCreate: (environment === "development" || loaded.contract.secrets.size === 0) && !ranBefore,
    secrets: [...loaded.contract.secrets.values()].map(({ name, purpose }) => ({ name, purpose })),
  });
  const { unset = [], storeFiles: opened = "" } = await whenReady(surroundings, "vault", vault, (message) =>
    key.told(message),
  );
  key.runs(vault);
  const unwatch = watchStoreFiles({ file, opened, onReplaced: () => endVault(surroundings, plan, vault) });
  surroundings.stopping.addEventListener("abort", unwatch);
  void vault.exited.then(() => {
    unwatch();
    surroundings.stopping.removeEventListener("abort", unwatch);
  });
  for (const name of unset)
    say(
      surroundings,
      "warning",
      `${name} has no value yet, so what needs it is refused. It is taken while this runs:  npx curtainwall secret set ${name}`,
    );
}

/** Ends a vault whose store is another one. Egress lets go of all values then, and what lies there now is checked as it is opened. */
function endVault(surroundings: Surroundings, { places }: VaultPlan, vault: DomainProcess<ToVault>): void {
  const { environment } = places;
  surroundings.events({ type: "vault.store.replaced", time: Date.now(), environment });
  say(
    surroundings,
    "warning",
    `the store of ${environment} secrets was moved or replaced: every value is let go of, and what lies there now is opened`,
  );
  vault.kill();
}
