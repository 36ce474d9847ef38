import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { describePermission, describeWidening } from "../contract/index.ts";
import { assertPermitted, hasContract, isForeign, loadContract, openContractLock } from "../stack/index.ts";
import type { CommandInput } from "./command.ts";
import { usageError } from "./command.ts";
import { count } from "./harden-report.ts";
import { today } from "./lock-input.ts";
import { planCommandFor, reportPermissions } from "./permission-report.ts";
import { print, printJson, say, styled } from "./voice.ts";

interface Usage {
  readonly name: string;
  readonly usage: string;
}

/** The contract that `plan` is asked about, if it is not asked about a site's scripts. */
export function contractAsked({ positionals, flags }: CommandInput): string | undefined {
  const folders = flags.has("approve") ? positionals.slice(0, -1) : positionals;
  const [folder = "."] = folders;
  return folders.length < 2 && hasContract(folder) ? folder : undefined;
}

/** Shows what a contract permits and nobody has approved; approves it, or takes back what it no longer asks for. */
export async function planContract(path: string, input: CommandInput, usage: Usage): Promise<number> {
  const { positionals, flags, values } = input;
  for (const option of ["show", "all-shared", "site", "learned", "follow", "lock"])
    if (values.has(option) || flags.has(option))
      throw usageError(`--${option} is about a folder's scripts`, usage);
  if (["approve", "prune", "frozen"].filter((flag) => flags.has(flag)).length > 1)
    throw usageError("--approve, --prune and --frozen don't go together", usage);
  const reason = positionals.at(-1);
  if (flags.has("approve") && (reason === undefined || reason === path || isFolder(reason)))
    throw usageError('Say why, in quotes:  --approve "why"', usage);
  const loaded = await loadContract(path);
  const lock = openContractLock(loaded);
  const { review } = lock;
  if (flags.has("approve")) {
    lock.approve({ reason: reason ?? "", today: today() });
    for (const widening of review.widened) print(`approved  ${describeWidening(widening)}`);
    for (const permission of review.unreviewed) print(`approved  ${describePermission(permission)}`);
    return told("approved", review.widened.length + review.unreviewed.length, lock.file);
  }
  if (flags.has("prune")) {
    lock.prune(today());
    for (const permission of review.unused) print(`pruned    ${describePermission(permission)}`);
    return told("pruned", review.unused.length, lock.file);
  }
  if (flags.has("json")) printJson(review);
  if (flags.has("frozen")) assertPermitted(loaded, { frozen: true, not: "approved" });
  if (!flags.has("json")) {
    reportPermissions(review, loaded.root);
    const { site } = loaded.contract;
    if (isForeign(site) && existsSync(join(loaded.root, site.dist)))
      say(`${styled("dim", "→")} the scripts of the site:  ${planCommandFor(join(loaded.root, site.dist))}`);
  }
  return review.widened.length > 0 && !review.firstRun ? 1 : 0;
}

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

function told(what: string, how: number, file: string): number {
  say(
    how === 0
      ? `There was nothing to do; ${file} is as it was`
      : `${styled("green", what)} ${count(how, "permission")} in ${file}; it belongs into version control`,
  );
  return 0;
}
