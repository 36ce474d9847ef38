import { existsSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import {
  describeWidening,
  describePermission,
  parseLockedPermissions,
  permissionsOf,
  reviewPermissions,
} from "../../contract/index.ts";
import type { PermissionReview } from "../../contract/index.ts";
import { CurtainwallError } from "../../shared/index.ts";
import type { StackErrorCode } from "../errors.ts";
import type { LoadedContract } from "../contract/load-contract.ts";
import { lockName } from "./lock-name.ts";

type Place = Pick<LoadedContract, "contract" | "root">;

/**
 * Compares what a contract permits with its project's lock. Reads no more of the lock than that: what starts a site needs nothing of
 * what hardens one.
 *
 * @throws {CurtainwallError} `CONTRACT_LOCK_INVALID`
 */
export function reviewContract({ contract, root }: Place): PermissionReview {
  return reviewPermissions(permissionsOf(contract), readPermissions(join(root, lockName)));
}

function readPermissions(file: string): ReturnType<typeof parseLockedPermissions> {
  if (!existsSync(file)) return [];
  let section: unknown;
  try {
    section = (JSON.parse(readFileSync(file, "utf8")) as { permissions?: unknown }).permissions ?? [];
  } catch (cause) {
    throw new CurtainwallError("CONTRACT_LOCK_INVALID", `${lockName} can't be read, or is no JSON.`, {
      hint: "npx curtainwall plan  names the line",
      cause,
    });
  }
  const entries = Array.isArray(section) ? section.filter((entry) => entry !== null) : [section];
  return parseLockedPermissions(entries as Record<string, unknown>[]);
}

/** What {@link assertPermitted} goes by. */
export interface PermissionRules {
  /** Nothing may be left that nobody has approved, also of what a first run recorded. Default false. */
  readonly frozen?: boolean;
  /** What does not happen because of it: `served`, `published`. */
  readonly not: string;
}

/**
 * Refuses a contract that permits more than its project's lock grants. Without any entry in the lock there is nothing to compare with, and
 * it passes.
 *
 * @throws {CurtainwallError} `STACK_PERMISSION_UNAPPROVED`, with each permission and what it was; `CONTRACT_LOCK_INVALID`
 */
export function assertPermitted(loaded: Place, { frozen = false, not }: PermissionRules): PermissionReview {
  const review = reviewContract(loaded);
  const { firstRun, widened, unreviewed } = review;
  const lines = [
    ...(firstRun && !frozen ? [] : widened.map(describeWidening)),
    ...(frozen ? unreviewed.map(describePermission) : []),
  ];
  if (lines.length === 0) return review;
  const command = planCommand(loaded.root);
  const shown = lines.slice(0, 40);
  throw new CurtainwallError<StackErrorCode>(
    "STACK_PERMISSION_UNAPPROVED",
    [
      `The contract permits what ${lockName} does not${frozen ? ", or what nobody has approved" : ""}: nothing was ${not}.`,
      ...shown.map((line) => `  ${line}`),
      ...(lines.length > shown.length ? [`  and ${lines.length - shown.length} more: ${command}`] : []),
    ].join("\n"),
    { hint: `If that is meant:  ${command} --approve "why"` },
  );
}

/** What a lock grants beyond the contract, with the command that takes it back, in one line. Undefined: nothing. */
export function describeSpare({ unused }: PermissionReview, root: string): string | undefined {
  const [first] = unused;
  if (first === undefined) return undefined;
  const more = unused.length === 1 ? "" : ` and ${unused.length - 1} more`;
  return `${lockName} still permits what the contract no longer asks for (${describePermission(first)}${more}), so that asking for it again takes no approval:  ${planCommand(root)} --prune`;
}

function planCommand(root: string): string {
  const folder = relative(process.cwd(), root);
  return `npx curtainwall plan${folder === "" ? "" : ` ${folder}`}`;
}
