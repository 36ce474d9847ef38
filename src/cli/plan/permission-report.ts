import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { relative } from "node:path";
import { describePermission, describeWidening } from "../../contract/index.ts";
import type { PermissionReview } from "../../contract/index.ts";
import { lockName, openContractLock } from "../../stack/index.ts";
import type { LoadedContract } from "../../stack/index.ts";
import { describeHere } from "../contract/contract-notes.ts";
import { today } from "./lock-input.ts";
import { print, say, styled } from "../voice.ts";
import { counted } from "../../shared/index.ts";

/** A first build's record of what its contract permits. */
export interface FirstRecord {
  /** The lock's file. */
  readonly file: string;
  /** Says that it is there. */
  tell(): void;
  /** Takes it back, of a build that failed. */
  undo(): void;
}

/** Records what a contract permits, approved by nobody. Before the build: the lock is part of what a release is signed for. */
export function recordPermissions(loaded: LoadedContract): FirstRecord {
  const lock = openContractLock(loaded);
  const { file } = lock;
  const before = existsSync(file) ? readFileSync(file) : undefined;
  lock.record(today());
  return {
    file,
    tell: () => {
      say(
        `${styled("yellow", "first run")}: ${lockName} records ${counted(lock.review.widened.length, "permission")} of the contract as they are now; from now on more is refused. Nobody has approved them yet:`,
      );
      say(`${styled("dim", "→")} ${planCommandFor(loaded.root)}`);
    },
    undo: () => (before === undefined ? rmSync(file, { force: true }) : writeFileSync(file, before)),
  };
}

/** The command that shows the permissions of a contract. */
export function planCommandFor(root: string): string {
  const folder = relative(process.cwd(), root);
  return `npx curtainwall plan${folder === "" ? "" : ` ${folder}`}`;
}

/** Shows what is not approved. */
export function reportPermissions(
  review: PermissionReview,
  { contract, root }: Pick<LoadedContract, "contract" | "root">,
): void {
  const { firstRun, approved, widened, unreviewed } = review;
  // What is asked for anew in a place says already what was granted there.
  const anew = new Set(widened.map(({ at }) => at));
  const unused = review.unused.filter(({ at }) => !anew.has(at));
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
  const shown = [...widened, ...unreviewed].map(describePermission);
  if (shown.some((line) => line.includes("(this machine)"))) {
    print("On this machine, whose ports no lock names, that is:");
    for (const line of describeHere(contract)) print(`  ${line}`);
  }
  say(
    `${counted(approved, "permission")} approved, ${widened.length} not granted, ${unreviewed.length} recorded and not approved`,
  );
  const command = planCommandFor(root);
  if (widened.length + unreviewed.length > 0) say(`${styled("dim", "→")} ${command} --approve "why"`);
  if (unused.length > 0) say(`${styled("dim", "→")} ${command} --prune`);
}
