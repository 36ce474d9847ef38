import { relative } from "node:path";
import { describePermission, describeWidening } from "../contract/index.ts";
import type { PermissionReview } from "../contract/index.ts";
import { lockName, openContractLock } from "../stack/index.ts";
import type { LoadedContract } from "../stack/index.ts";
import { count } from "./harden-report.ts";
import { today } from "./lock-input.ts";
import { print, say, styled } from "./voice.ts";

/** Records what a contract permits at its first build, approved by nobody, and says so. Returns the lock's file. */
export function recordPermissions(loaded: LoadedContract): string {
  const lock = openContractLock(loaded);
  lock.record(today());
  say(
    `${styled("yellow", "first run")}: ${lockName} records ${count(lock.review.widened.length, "permission")} of the contract as they are now; from now on more is refused. Nobody has approved them yet:`,
  );
  say(`${styled("dim", "→")} ${planCommandFor(loaded.root)}`);
  return lock.file;
}

/** The command that shows the permissions of a contract. */
export function planCommandFor(root: string): string {
  const folder = relative(process.cwd(), root);
  return `npx curtainwall plan${folder === "" ? "" : ` ${folder}`}`;
}

/** Shows what is not approved. */
export function reportPermissions(review: PermissionReview, root: string): void {
  const { firstRun, approved, widened, unreviewed, unused } = review;
  if (widened.length > 0)
    print(
      firstRun
        ? "The contract permits, and no lock says so yet:"
        : "The contract would permit more than is approved:",
    );
  for (const widening of widened) print(`  ${describeWidening(widening)}`);
  if (unreviewed.length > 0) print("Recorded by the first run, approved by nobody:");
  for (const permission of unreviewed) print(`  ${describePermission(permission)}`);
  if (unused.length > 0) print("Granted, and more than the contract asks for:");
  for (const permission of unused) print(`  ${describePermission(permission)}`);
  say(
    `${count(approved, "permission")} approved, ${widened.length} not granted, ${unreviewed.length} recorded and not approved`,
  );
  const command = planCommandFor(root);
  if (widened.length + unreviewed.length > 0) say(`${styled("dim", "→")} ${command} --approve "why"`);
  if (unused.length > 0) say(`${styled("dim", "→")} ${command} --prune`);
}
