import { join } from "node:path";
import {
  approvePermissions,
  lockEntries,
  parseLockedPermissions,
  permissionsOf,
  prunePermissions,
  recordPermissions,
  reviewPermissions,
} from "../../contract/index.ts";
import type { LockedPermission, PermissionApproval, PermissionReview } from "../../contract/index.ts";
import type { LoadedContract } from "../contract/load-contract.ts";
import { lockName } from "./lock-name.ts";
import { readLock } from "./site-lock.ts";
import { updateLock } from "./update-lock.ts";

/** What a project's lock says of its contract. */
export interface ContractLock {
  readonly file: string;
  readonly review: PermissionReview;
  /** Writes what the contract permits as not approved, for later runs to compare with. Only for a first run. */
  record(day: string): void;
  /** Grants what the contract permits beyond the lock; if that is nothing, what a first run recorded. @throws {CurtainwallError} `CONTRACT_APPROVAL_INVALID` */
  approve(approval: PermissionApproval): void;
  /** Grants no more than the contract asks for. */
  prune(day: string): void;
}

/**
 * Opens a project's lock for what it says of the contract; what it says of scripts stays as it is.
 *
 * @param file where it lies. Default: beside the contract
 * @throws {CurtainwallError} `HARDEN_LOCK_INVALID`, `CONTRACT_LOCK_INVALID`
 */
export function openContractLock(
  { contract, root }: Pick<LoadedContract, "contract" | "root">,
  file: string = join(root, lockName),
): ContractLock {
  const lock = readLock(file);
  const locked = parseLockedPermissions(lock.permissions);
  const save = (change: (locked: readonly LockedPermission[]) => readonly LockedPermission[]): void =>
    void updateLock(file, (now) => ({
      ...now,
      permissions: lockEntries(change(parseLockedPermissions(now.permissions))),
    }));
  return {
    file,
    review: reviewPermissions(permissionsOf(contract), locked),
    // What somebody approved meanwhile counts more.
    record: (day) => save((now) => (now.length > 0 ? now : recordPermissions(contract, day))),
    approve: (approval) => save((now) => approvePermissions(contract, now, approval)),
    prune: (day) => save((now) => prunePermissions(contract, now, day)),
  };
}
