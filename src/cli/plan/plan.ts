import { dirname, resolve } from "node:path";
import { describeReview, prune, shortId, summarizeReview } from "../../harden/index.ts";
import type { Lock, PendingScript, Review } from "../../harden/index.ts";
import { counted, printable } from "../../shared/index.ts";
import {
  approveScripts,
  assertApproved,
  hasContract,
  loadContract,
  planSite,
  recordedAction,
  updateLock,
} from "../../stack/index.ts";
import { allowOptions, readAllowed } from "./allowed-scripts.ts";
import type { Command, CommandInput } from "../command.ts";
import { usageError } from "../command.ts";
import { originOf } from "../build/harden.ts";
import { readLearned } from "./learned-input.ts";
import { lockInput, lockOptions, today } from "./lock-input.ts";
import { readShown, rememberAlsoShown, rememberShown } from "./shown-scripts.ts";
import { contractAsked, planContract } from "./plan-contract.ts";
import { print, printJson, quotedLength, say, showProgress, styled } from "../voice.ts";

export const planCommand: Command = {
  name: "plan",
  usage: `[folder] [--approve "why" | --approve <id…|/path…> "why" | --approve --all-shared "why" | --show <id> | --prune | --frozen] [--lock <file>] [--site <name>] [--origin https://…] [--follow <folder>] [--json]`,
  summary:
    "Show what the contract, or a site's scripts, would be allowed and nobody has approved; approve it",
  options: {
    approve: {
      type: "boolean",
      says: "approve what a contract permits, or the scripts that are named; the last argument says why",
    },
    "all-shared": { type: "boolean", says: "with --approve: all that stand on more than one page" },
    prune: {
      type: "boolean",
      says: "take out of the lock what the contract no longer permits, or scripts that the site no longer has",
    },
    show: { type: "string", says: "print one script whole, data left out" },
    frozen: { type: "boolean", says: "for CI: exit code 1 if anything is not approved; never writes" },
    ...lockOptions,
    origin: { type: "string", says: "where the site will be served from" },
    follow: { type: "string", says: "a folder outside into which links may lead" },
    learned: { type: "string", says: "the file that the site is hardened with, if it is" },
    ...allowOptions,
    json: { type: "boolean", says: "print the plan as JSON" },
  },
  notes: [
    "In a folder with a contract (by default this one): what it permits beyond the lock, exit code 1 if there is anything; one reason approves",
    "all of it, and what a first run recorded only when asked again. build and start refuse a contract that permits more. For a folder that a generator wrote: its scripts.",
    "An id may be cut short: it stands for what this command last showed here, and for nothing that took its place. Several may be named,",
    "and one reason last. A path, like /searchindex.js or /assets/, is trusted whatever lies there: for programs that your own build writes anew",
    "each time. Nothing tells a script of the generator from one that came with its content: what stands on one page only is worth the closest",
    "look. Name the same options that the site is hardened with: they decide what may run.",
  ],
  async run(input) {
    const contract = contractAsked(input);
    if (contract !== undefined) return planContract(contract, input, planCommand);
    const { positionals, flags, values } = input;
    const [folder, ...rest] = positionals;
    if (folder === undefined)
      throw usageError(
        "There is no contract here. Name its folder, or one that a generator wrote",
        planCommand,
      );
    assertUsage(input);
    const allowScripts = readAllowed(input, planCommand);
    const { open, words } = lockInput(folder, values, allowScripts);
    const line = showProgress();
    const follow = values.get("follow");
    let review: Review;
    try {
      review = await planSite({
        folder,
        lock: open,
        origin: originOf(values.get("origin")),
        ...(follow === undefined ? {} : { follow: [follow] }),
        allowScripts,
        learned: readLearned(values.get("learned"), planCommand),
        onProgress: (done, total) => line.update(`reading ${done}/${total}`),
      });
    } finally {
      line.done();
    }
    if (flags.has("approve")) {
      const approval = {
        names: rest.slice(0, -1),
        allShared: flags.has("all-shared"),
        shown: readShown(open.file, review.site),
        reason: rest.at(-1) ?? "",
        day: today(),
      };
      const save = (): number =>
        saveApproved(open.file, (lock) => approveScripts({ ...open, lock }, review, approval));
      const root = dirname(resolve(open.file));
      // A folder that no contract is about has no log.
      if (!hasContract(root)) return save();
      const target = `${review.site}: ${approval.reason}`;
      return recordedAction(await loadContract(root), { action: "plan --approve", target }, save);
    }
    const shown = values.get("show");
    if (shown !== undefined) {
      const scripts = find(review, shown).map((script) => ({ ...script, nearest: undefined }));
      for (const text of describeReview(scripts, { maxLines: Infinity, lineLength: quotedLength() }))
        print(text);
      rememberAlsoShown(open.file, review, scripts);
      return 0;
    }
    if (flags.has("prune")) return savePruned(open.file, review);
    if (flags.has("json")) printJson(review);
    if (flags.has("frozen")) assertApproved(review, { folder, frozen: true, words });
    const remembered = !flags.has("frozen") && isWaiting(review) && rememberShown(open.file, review);
    if (!flags.has("json")) show(review, { folder, words, remembered });
    return 0;
  },
};

function assertUsage({ positionals, flags }: CommandInput): void {
  const [, ...rest] = positionals;
  const wanted = flags.has("all-shared") ? 1 : 2;
  if (["approve", "prune", "frozen"].filter((flag) => flags.has(flag)).length > 1)
    throw usageError("--approve, --prune and --frozen don't go together", planCommand);
  if (flags.has("all-shared") && !flags.has("approve"))
    throw usageError("--all-shared goes with --approve", planCommand);
  if (flags.has("approve") && rest.length < wanted)
    throw usageError("Name what is approved and, last, why", planCommand);
  if (!flags.has("approve") && rest.length > 0)
    throw usageError(`${JSON.stringify(rest[0])} is one argument too many`, planCommand);
}

const isWaiting = ({ added, unreviewed }: Review): boolean => added.length + unreviewed.length > 0;

/** All of that name: one of two that begin alike could hide the other. */
function find({ added, unreviewed }: Review, name: string): PendingScript[] {
  const scripts = [...added, ...unreviewed].filter(({ id }) => id.startsWith(name));
  if (scripts.length > 0) return scripts;
  throw usageError(`No script that awaits approval is called ${JSON.stringify(name)}`, planCommand);
}

function saveApproved(file: string, approve: (lock: Lock) => Lock): number {
  let changed: Lock["scripts"] = [];
  updateLock(file, (before) => {
    const known = new Set(before.scripts);
    const after = approve(before);
    changed = after.scripts.filter((script) => !known.has(script));
    return after;
  });
  for (const { id, kind, url, seen, reason } of changed) {
    print(`approved  ${shortId(id)}  ${printable(url ?? seen)}  ${printable(reason ?? "")}`);
    if (kind === "trusted")
      say(
        `${styled("yellow", "trusted")}   whatever lies at ${printable(url ?? seen)} runs, also after it has changed`,
      );
  }
  say(
    changed.length === 0
      ? `Nothing was left to approve; ${file} is as it was`
      : `${styled("green", "approved")} ${counted(changed.length, "script")} in ${file}; it belongs into version control`,
  );
  return 0;
}

function savePruned(file: string, review: Review): number {
  if (review.unused.length === 0) {
    say(`The site has every script that ${file} knows; nothing was taken out`);
    return 0;
  }
  updateLock(file, (before) => prune(before, review));
  for (const { id, url, seen } of review.unused) print(`pruned    ${shortId(id)}  ${printable(url ?? seen)}`);
  say(`${styled("green", "pruned")} ${counted(review.unused.length, "script")} from ${file}`);
  return 0;
}

function show(
  review: Review,
  { folder, words, remembered }: { folder: string; words: string; remembered: boolean },
): void {
  const { site, added, unreviewed, unused } = review;
  const waiting = [...added, ...unreviewed].sort((left, right) => left.pages - right.pages);
  if (waiting.length > 0) print(`Not approved on ${site}, what stands on one page only first:`);
  for (const line of describeReview(waiting, { maxLines: 60, maxScripts: 100, lineLength: quotedLength() }))
    print(line);
  for (const { id, seen } of unused) print(`${shortId(id)}  no longer there (first seen at ${seen})`);
  say(summarizeReview(review));
  const [first] = waiting;
  if (first !== undefined)
    say(
      `${styled("dim", "→")} npx curtainwall plan ${folder}${words} --approve ${remembered ? shortId(first.id) : first.id} "why"    or, for all on several pages:  --approve --all-shared "why"`,
    );
  if (unused.length > 0) say(`${styled("dim", "→")} npx curtainwall plan ${folder}${words} --prune`);
}
