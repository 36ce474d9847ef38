import { join } from "node:path";
import {
  approvePermissions,
  lockEntries,
  parseLockedPermissions,
  permissionsOf,
  prunePermissions,
  recordPermissions,
  reviewPermissions,
} from "../contract/index.ts";
import type { LockedPermission, PermissionApproval, PermissionReview } from "../contract/index.ts";
import type { LoadedContract } from "./load-contract.ts";
import { lockName } from "./lock-name.ts";
import { readLock, saveLock } from "./site-lock.ts";

/** What a project's lock says of its contract. */
export interface ContractLock {
  readonly file: string;
  readonly review: PermissionReview;
  /** Writes what the contract permits as not approved, for later runs to compare with. Only for a first run. */
  record(day: string): void;
  /** Grants all that the contract permits. @throws {CurtainwallError} `CONTRACT_APPROVAL_INVALID` */
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
  const save = (permissions: readonly LockedPermission[]): void =>
    saveLock(file, { ...lock, permissions: lockEntries(permissions) });
  return {
    file,
    review: reviewPermissions(permissionsOf(contract), locked),
    record: (day) => save(recordPermissions(contract, day)),
    approve: (approval) => save(approvePermissions(contract, locked, approval)),
    prune: (day) => save(prunePermissions(contract, locked, day)),
  };
}
