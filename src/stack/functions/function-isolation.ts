import type { Contract } from "../../contract/index.ts";
import { CurtainwallError } from "../../shared/index.ts";
import { functionGroups } from "./function-groups.ts";
import { bwrapWorks, groupUser } from "../isolation/isolation.ts";
import type { Isolation } from "../isolation/isolation.ts";

/** Whether each group of functions gets a sandbox, besides a user of its own as root. Tried only when there is a function. */
export function hasFunctionSandboxes(
  { functions }: Pick<Contract, "functions">,
  root: string,
  isolation: Isolation,
): boolean {
  if (functions.size === 0 || isolation === "reduced") return false;
  return isolation === "bwrap" || bwrapWorks(groupUser(0, root));
}

/**
 * Refuses to start functions that use secrets where nothing would keep them from the process that has the values, or from the network: without a
 * sandbox, unless the contract says why that does not matter there.
 *
 * @throws {CurtainwallError} `STACK_ISOLATION_REDUCED`
 */
export function assertFunctionsIsolated(
  contract: Pick<Contract, "functions" | "secrets" | "weakenings">,
  isSandboxed: boolean,
): void {
  const secretive = functionGroups(contract).filter(({ hasSecrets }) => hasSecrets);
  if (isSandboxed || secretive.length === 0 || contract.weakenings.some(({ at }) => at === weakening)) return;
  const names = secretive.flatMap(({ functions }) => functions.map(({ name }) => name));
  throw new CurtainwallError(
    "STACK_ISOLATION_REDUCED",
    `This machine offers no sandbox for functions that use secrets: ${names.join(", ")}.`,
    {
      hint: [
        "Install bubblewrap:  apt install bubblewrap   In a container, allow user namespaces.",
        `Where it does not matter, say why in the contract:  ${weakening}: "my laptop, test keys only",`,
      ].join("\n"),
    },
  );
}

const weakening = "insecureReducedIsolation";
