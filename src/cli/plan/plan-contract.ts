import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { describePermission, describeWidening } from "../../contract/index.ts";
import type { Permission } from "../../contract/index.ts";
import { CurtainwallError, counted } from "../../shared/index.ts";
import {
  assertPermitted,
  hasContract,
  isForeign,
  loadContract,
  openContractLock,
  recordedAction,
  reviewFunctions,
} from "../../stack/index.ts";
import type { LoadedContract } from "../../stack/index.ts";
import type { CommandInput } from "../command.ts";
import { usageError } from "../command.ts";
import { describeUncalled } from "../contract/contract-notes.ts";
import type { CliErrorCode } from "../errors.ts";
import { today } from "./lock-input.ts";
import { planCommandFor, reportPermissions } from "./permission-report.ts";
import { print, printJson, say, styled } from "../voice.ts";

interface Usage {
  readonly name: string;
  readonly usage: string;
}

/** The contract that `plan` is asked about, if it is not asked about a site's scripts. */
export function contractAsked({ positionals, flags }: CommandInput): string | undefined {
  const folders = flags.has("approve") ? positionals.slice(0, -1) : positionals;
  const [folder = "."] = folders;
  assertReasonLast({ positionals, flags });
  return folders.length < 2 && hasContract(folder) ? folder : undefined;
}

/** `--approve "why" folder` is an easy slip: what is approved comes before the reason. */
function assertReasonLast({ positionals, flags }: Pick<CommandInput, "positionals" | "flags">): void {
  const [first = "", last = ""] = positionals;
  if (!flags.has("approve") || positionals.length !== 2) return;
  if (existsSync(first) || !isFolder(last) || !hasContract(last)) return;
  throw new CurtainwallError<CliErrorCode>("CLI_USAGE_INVALID", `${last} is a folder, and no reason.`, {
    hint: `The folder comes first, the reason last:  npx curtainwall plan ${last} --approve ${JSON.stringify(first)}`,
  });
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
    await recordedAction(loaded, { action: "plan --approve", target: reason ?? "" }, () =>
      lock.approve({ reason: reason ?? "", today: today() }),
    );
    const { widened, unreviewed } = review;
    const asWhole = review.firstRun || widened.length === 0;
    const approved = widened.length > 0 ? widened.map(describeWidening) : unreviewed.map(describePermission);
    for (const line of approved) print(`approved  ${line}`);
    told("approved", approved.length, lock.file);
    if (asWhole && approved.length > 0) tellFirstApproval([...widened, ...unreviewed]);
    else if (unreviewed.length > 0)
      say(
        `${styled("yellow", "look at")} ${counted(unreviewed.length, "permission")} that a first run recorded: still approved by nobody. Read them, then approve them as a whole:  ${planCommandFor(loaded.root)} --approve "why"`,
      );
    return 0;
  }
  if (flags.has("prune")) {
    lock.prune(today());
    for (const permission of review.unused) print(`pruned    ${describePermission(permission)}`);
    return told("pruned", review.unused.length, lock.file);
  }
  if (flags.has("json")) printJson(review);
  if (flags.has("frozen")) assertPermitted(loaded, { frozen: true, not: "approved" });
  if (!flags.has("json")) {
    reportPermissions(review, loaded);
    for (const text of describeUncalled(loaded.contract)) say(`${styled("yellow", "look at")} ${text}`);
    await tellFunctions(loaded);
    const { site } = loaded.contract;
    if (isForeign(site) && existsSync(join(loaded.root, site.dist)))
      say(`${styled("dim", "→")} the scripts of the site:  ${planCommandFor(join(loaded.root, site.dist))}`);
  }
  return review.widened.length > 0 && !review.firstRun ? 1 : 0;
}

/** What another program is needed for, besides what browsers may run. */
async function tellFunctions(loaded: LoadedContract): Promise<void> {
  for (const { name, sha256, state } of await reviewFunctions(loaded))
    if (state !== "signed")
      print(
        `function  ${name} ${state === "new" ? "is new" : "has changed"} since the program was signed (${sha256.slice(0, 12)})`,
      );
}

/** One reason stands for the whole contract: what is worth reading first. */
function tellFirstApproval(permissions: readonly Permission[]): void {
  const worthReading: readonly [what: string, counts: (permission: Permission) => boolean][] = [
    ["routes for everyone", ({ at, permits }) => at.endsWith(" access") && isForEveryone(permits)],
    ["uses of secrets", ({ at }) => /^secret \S+ by /.test(at)],
    ["functions", ({ at }) => /^function \S+$/.test(at)],
  ];
  const worth = worthReading.flatMap(([what, counts]) => {
    const number = permissions.filter(counts).length;
    return number === 0 ? [] : [`${what}: ${number}`];
  });
  say(
    `${styled("yellow", "first approval")}: your reason stands for all ${counted(permissions.length, "permission")} above, not for a last change alone. Read them before you commit the lock${worth.length === 0 ? "" : `; ${worth.join(", ")}`}`,
  );
}

const isForEveryone = (permits: Permission["permits"]): boolean =>
  typeof permits === "object" &&
  "access" in permits &&
  JSON.stringify(permits.access) === '{"kind":"everyone"}';

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

function told(what: string, how: number, file: string): number {
  say(
    how === 0
      ? `There was nothing to do; ${file} is as it was`
      : `${styled("green", what)} ${counted(how, "permission")} in ${file}; it belongs into version control`,
  );
  return 0;
}
