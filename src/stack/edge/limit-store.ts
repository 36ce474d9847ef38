import type { Contract } from "../../contract/index.ts";
import type { GateSpace } from "../../gateway/index.ts";
import { readPem } from "./certificate.ts";

/** What the contract's shared store is reached with, besides what the contract says. */
export interface LimitStoreAccess {
  /** PEM of the authority that signed its certificate. */
  readonly authority: string | undefined;
}

/**
 * Reads what the contract's shared store is reached with. Its password is in the vault, and egress alone has it. Undefined: hosts count alone.
 *
 * @throws {CurtainwallError} `STACK_FILE_UNREADABLE`
 */
export function readLimitStoreAccess(
  { limitStore }: Pick<Contract, "limitStore">,
  root: string,
): LimitStoreAccess | undefined {
  return limitStore && { authority: readPem(root, limitStore.caFile) };
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
