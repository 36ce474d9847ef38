import { CurtainwallError } from "../../shared/index.ts";
import type { ContractErrorCode } from "../errors.ts";
import type { JsonValue } from "../source.ts";
import type { LockedPermission, Permission, Permits } from "./permission.ts";
import { keyOf, permissionsOf } from "./permissions-of.ts";
import { isGuard, reviewPermissions } from "./review.ts";
import { isWithin } from "./within.ts";
import type { Contract } from "../contract.ts";

type Entry = Readonly<Record<string, unknown>>;

const day = /^\d{4}-\d{2}-\d{2}$/;
const names = new Set(["at", "permits", "recorded", "approved", "reason"]);

/**
 * Reads the lock's entries about the contract.
 *
 * @throws {CurtainwallError} `CONTRACT_LOCK_INVALID`, with the entry that was not written by {@link lockEntries}
 */
export function parseLockedPermissions(entries: readonly Entry[]): LockedPermission[] {
  return entries.map((entry) => {
    const locked = readEntry(entry);
    if (locked !== undefined) return locked;
    throw new CurtainwallError<ContractErrorCode>(
      "CONTRACT_LOCK_INVALID",
      `The lock has an entry that can't be read: ${JSON.stringify(entry).slice(0, 200)}`,
      {
        hint: "Take the line back from version control, or delete it:  npx curtainwall plan  then tells what is not approved",
      },
    );
  });
}

function readEntry(entry: Entry): LockedPermission | undefined {
  const { at, permits, recorded, approved, reason } = entry;
  if (typeof at !== "string" || !isPermits(permits) || !isDay(recorded)) return undefined;
  if (!Object.keys(entry).every((name) => names.has(name))) return undefined;
  if (approved === undefined && reason === undefined) return { at, permits, recorded };
  return isDay(approved) && typeof reason === "string"
    ? { at, permits, recorded, approved, reason }
    : undefined;
}

/** What is compared is looked at when it is compared, and grants nothing if nobody can read it. */
const isPermits = (value: unknown): value is Permits =>
  typeof value === "string" || (typeof value === "object" && value !== null);

const isDay = (value: unknown): value is string => typeof value === "string" && day.test(value);

/** As the lock writes them: the place first, since lines are sorted by their text. */
export const lockEntries = (locked: readonly LockedPermission[]): Record<string, JsonValue>[] =>
  locked.map(({ at, permits, recorded, approved, reason }) => ({
    at,
    permits: permits as JsonValue,
    recorded,
    ...(approved === undefined ? {} : { approved }),
    ...(reason === undefined ? {} : { reason }),
  }));

/** What a first run found, approved by nobody. */
export const recordPermissions = (contract: Contract, recorded: string): LockedPermission[] =>
  permissionsOf(contract).map((permission) => ({ ...permission, recorded }));

/** Why and when something was approved. */
export interface PermissionApproval {
  readonly reason: string;
  /** Today: `2026-11-22`. */
  readonly today: string;
}

/**
 * A lock that grants what a contract permits beyond it, or, if there is nothing of that, what a first run recorded: a reason for one change is none for
 * all that was there before. What it granted before stays where the contract asks for less, but for what a wider entry
 * now covers: another environment may ask for it.
 *
 * @throws {CurtainwallError} `CONTRACT_APPROVAL_INVALID` without a reason
 */
export function approvePermissions(
  contract: Contract,
  locked: readonly LockedPermission[],
  { reason, today }: PermissionApproval,
): LockedPermission[] {
  if (reason.trim().length < 3 || reason.length > 300)
    throw new CurtainwallError<ContractErrorCode>(
      "CONTRACT_APPROVAL_INVALID",
      "An approval takes a reason of 3 to 300 characters.",
      { hint: 'npx curtainwall plan --approve "the shop opens its list of products"' },
    );
  const permissions = permissionsOf(contract);
  const { widened, unreviewed } = reviewPermissions(permissions, locked);
  const gone = new Set(widened.filter(({ isGone }) => isGone).map(({ at }) => at));
  const places = new Set(locked.map(({ at }) => at));
  const guards = permissions.filter(({ at, permits }) => isGuard(permits) && !places.has(at));
  const asked = widened.length > 0 ? widened.filter(({ isGone }) => !isGone) : unreviewed;
  const added = [...asked, ...guards];
  const fresh = added.map(({ at, permits }) => ({
    at,
    permits,
    recorded: recordedDay(locked, { at, permits }) ?? today,
    approved: today,
    reason,
  }));
  const isCovered = (grant: LockedPermission): boolean =>
    fresh.some(({ at, permits }) => at === grant.at && isLarger(permits, grant.permits));
  return [...locked.filter((grant) => !gone.has(grant.at) && !isCovered(grant)), ...fresh];
}

const isLarger = (permits: Permits, other: Permits): boolean => isWithin(other, permits);

const recordedDay = (locked: readonly LockedPermission[], permission: Permission): string | undefined =>
  locked.find((grant) => keyOf(grant) === keyOf(permission))?.recorded;

/** A lock that grants no more than a contract asks for. What is narrower by now keeps its approval. */
export function prunePermissions(
  contract: Contract,
  locked: readonly LockedPermission[],
  today: string,
): LockedPermission[] {
  return permissionsOf(contract).flatMap((permission) => {
    const same = locked.find((grant) => keyOf(grant) === keyOf(permission));
    const wider = locked.find(
      (grant) => grant.at === permission.at && isWithin(permission.permits, grant.permits),
    );
    const grant = same ?? wider;
    if (grant !== undefined) return [{ ...grant, ...permission }];
    return isGuard(permission.permits) ? [{ ...permission, recorded: today }] : [];
  });
}
