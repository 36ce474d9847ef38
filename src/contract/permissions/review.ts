import { isWithin } from "./within.ts";
import { keyOf } from "./permissions-of.ts";
import type { LockedPermission, Permission, Permits } from "./permission.ts";

/** A permission that the lock does not grant. */
export interface Widening extends Permission {
  /** What the lock grants in its place; none for what is new there. */
  readonly was: readonly Permits[];
  /** Something that was required, or that held requests back, is gone. */
  readonly isGone: boolean;
}

/** A contract's permissions, compared with the lock. */
export interface PermissionReview {
  /** The lock had none. */
  readonly firstRun: boolean;
  /** How many of the contract's are in the lock, and approved. */
  readonly approved: number;
  /** Not in the lock, or more than it grants. */
  readonly widened: readonly Widening[];
  /** Recorded by the first run, approved by nobody. */
  readonly unreviewed: readonly Permission[];
  /** Granted by the lock, and more than the contract asks for. */
  readonly unused: readonly LockedPermission[];
}

/** Compares what a contract permits with what the lock grants. */
export function reviewPermissions(
  permissions: readonly Permission[],
  locked: readonly LockedPermission[],
): PermissionReview {
  const grants = groupByPlace(locked);
  const asked = groupByPlace(permissions);
  const isGranted = ({ at, permits }: Permission, granted: readonly LockedPermission[]): boolean =>
    (isGuard(permits) && !grants.has(at)) ||
    granted.some((grant) => grant.at === at && isWithin(permits, grant.permits));
  const known = permissions.filter((permission) => isGranted(permission, grants.get(permission.at) ?? []));
  const approved = known.filter((permission) =>
    isGranted(
      permission,
      (grants.get(permission.at) ?? []).filter(({ approved: day }) => day !== undefined),
    ),
  );
  const [isKnown, isApproved] = [new Set(known), new Set(approved)];
  const keys = new Set(permissions.map(keyOf));
  return {
    firstRun: locked.length === 0,
    approved: approved.length,
    widened: [
      ...permissions
        .filter((permission) => !isKnown.has(permission))
        .map(({ at, permits }) => ({ at, permits, was: permitsOf(grants.get(at)), isGone: false })),
      ...goneGuards(locked, asked),
    ],
    unreviewed: known.filter((permission) => !isApproved.has(permission)),
    unused: locked.filter((grant) => !keys.has(keyOf(grant))),
  };
}

/** One more of these permits less, so that the lock need not have it. */
export const isGuard = (permits: Permits): boolean => typeof permits === "object" && "guards" in permits;

const permitsOf = (locked: readonly LockedPermission[] | undefined): Permits[] =>
  (locked ?? []).map(({ permits }) => permits);

function groupByPlace<Entry extends Permission>(entries: readonly Entry[]): Map<string, Entry[]> {
  const groups = new Map<string, Entry[]>();
  for (const entry of entries) {
    const group = groups.get(entry.at);
    if (group === undefined) groups.set(entry.at, [entry]);
    else group.push(entry);
  }
  return groups;
}

/** What the lock requires of a place that is still there, and the contract no longer has. */
function goneGuards(
  locked: readonly LockedPermission[],
  asked: ReadonlyMap<string, readonly Permission[]>,
): Widening[] {
  const places = new Set(locked.map(({ at }) => at));
  return locked.flatMap(({ at, permits }): Widening[] => {
    if (asked.has(at) || typeof permits === "string") return [];
    // A check that is gone is gone from the access too, which tells whether that permits more.
    if ("guards" in permits && permits.guards.check === undefined && isThere(at, asked))
      return [{ at, permits: { guards: {} }, was: [permits], isGone: true }];
    if ("option" in permits && isThere(at, asked))
      return [{ at, permits: { option: null }, was: [permits], isGone: true }];
    const parent = at.slice(0, at.lastIndexOf("/"));
    const isRequired = "required" in permits;
    const lost = isRequired && isThere(at, asked) && (!places.has(parent) || asked.has(parent));
    return lost ? [{ at, permits: { type: "none" }, was: [permits], isGone: true }] : [];
  });
}

/** Whether the contract still has the route, the upstream, the secret … that a place belongs to, if it belongs to one. */
function isThere(at: string, asked: ReadonlyMap<string, unknown>): boolean {
  const [part] = /^(?:(?:upstream|secret|function|egress) [^ ]+|limits store)/.exec(at) ?? [];
  // A vault that nobody opens has no key.
  if (at.startsWith("vault ")) return asked.has("vault key");
  if (part !== undefined) return asked.has(part);
  if (!/^[A-Z]+ \//.test(at)) return true;
  const [method, path] = at.split(" ");
  return asked.has(`${method} ${path} access`);
}
