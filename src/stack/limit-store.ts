import type { Contract } from "../contract/index.ts";
import type { GateSpace } from "../gateway/index.ts";
import { CurtainwallError } from "../shared/index.ts";
import { readPem } from "./certificate.ts";

/** What the edge needs besides the contract to count in a shared store. */
export interface LimitStoreSecrets {
  readonly password: string | undefined;
  /** PEM of the authority that signed its certificate. */
  readonly authority: string | undefined;
}

/**
 * Reads what the contract's shared store is reached with. Undefined: hosts count alone.
 *
 * @throws {CurtainwallError} `CONTRACT_ENVIRONMENT_INVALID` when the variable of its password is not set; `STACK_FILE_UNREADABLE`
 */
export function readLimitStoreSecrets(
  { limitStore }: Pick<Contract, "limitStore">,
  root: string,
  environment: Readonly<Record<string, string | undefined>>,
): LimitStoreSecrets | undefined {
  if (limitStore === undefined) return undefined;
  const { passwordVariable, caFile } = limitStore;
  const password = passwordVariable === undefined ? undefined : environment[passwordVariable];
  if (passwordVariable !== undefined && (password === undefined || password === ""))
    throw new CurtainwallError(
      "CONTRACT_ENVIRONMENT_INVALID",
      `The environment has no ${passwordVariable}, the password of limits.store.`,
      { hint: `Set it where the stack is started:  ${passwordVariable}=… npx curtainwall start` },
    );
  return { password, authority: readPem(root, caFile) };
}

/**
 * Room for as many gates as a contract could have, whichever of its limits need one: some bytes more than it takes. What counts them exactly
 * comes with the whole gateway, which the supervisor does not load.
 */
export function roomForGates({ routes, upstreams, budgets }: Contract): GateSpace {
  const limits = routes.reduce(
    (sum, { limits: { length }, failures }) => sum + length + (failures?.limits.length ?? 0) + 1,
    0,
  );
  return { counters: limits + budgets.size * 2, doors: routes.length + upstreams.size };
}
