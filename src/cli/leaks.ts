import type { LeakGate, LeakHit } from "../harden/index.ts";
import { createContractGate, describeHit, loadContract } from "../stack/index.ts";
import type { LoadedContract } from "../stack/index.ts";
import { isCurtainwallError } from "../shared/index.ts";
import type { Command } from "./command.ts";
import { usageError } from "./command.ts";
import { filesOf } from "./files-of.ts";
import { print, printJson, say, showProgress, styled } from "./voice.ts";

/** What `curtainwall leaks` found. */
export interface LeakReport {
  readonly files: number;
  readonly bytes: number;
  readonly hits: readonly LeakHit[];
  readonly notes: readonly LeakHit[];
  /** Names of values that can't be looked for, and why. */
  readonly notSearched: LeakGate["notSearched"];
}

export const leaksCommand: Command = {
  name: "leaks",
  usage: "<folder> [--contract <folder>] [--json]",
  summary: "Look for secrets, private files and traces of the build in what would be published",
  options: {
    contract: { type: "string", says: "the folder of the contract; by default this one, if it has one" },
    json: { type: "boolean", says: "print the result as JSON" },
  },
  notes: [
    "The values of the contract's privateEnv, as this command's own environment has them, are looked for in every encoding; without a",
    "contract, those of variables whose names tell that they are secrets. Exit code 1: something was found.",
  ],
  async run({ positionals, flags, values }) {
    const [folder] = positionals;
    if (folder === undefined) throw usageError("Name the folder that would be published", leaksCommand);
    const report = await lookForLeaks(folder, values.get("contract"));
    if (flags.has("json")) printJson(report);
    else tell(report);
    return report.hits.length === 0 ? 0 : 1;
  },
};

/** Sends every file of a folder through the leak gate. */
export async function lookForLeaks(folder: string, contractFolder?: string): Promise<LeakReport> {
  const loaded = await contractIn(contractFolder);
  const gate = createContractGate({
    contract: loaded?.contract,
    root: loaded?.root ?? process.cwd(),
    variables: process.env,
  });
  const line = showProgress();
  const found: LeakHit[] = [];
  let files = 0;
  let bytes = 0;
  try {
    for (const file of filesOf(folder)) {
      found.push(
        ...(file.bytes === undefined
          ? [unread(file.path, file.why)]
          : gate.inspect({ path: file.path, bytes: file.bytes })),
      );
      files++;
      bytes += file.bytes?.length ?? 0;
      line.update(`${files} files, ${Math.round(bytes / 1e6)} MB`);
    }
  } finally {
    line.done();
  }
  found.push(...gate.finish());
  const of = (level: LeakHit["level"]): LeakHit[] => found.filter((hit) => hit.level === level);
  return { files, bytes, hits: of("hit"), notes: of("note"), notSearched: gate.notSearched };
}

/** The contract that was named, or this folder's; a folder to be checked need not have one. */
async function contractIn(folder: string | undefined): Promise<LoadedContract | undefined> {
  try {
    return await loadContract(folder ?? ".");
  } catch (error) {
    if (folder === undefined && isCurtainwallError(error, "STACK_CONFIG_MISSING")) return undefined;
    throw error;
  }
}

/** What can't be read can't be judged, and is no pass. */
const unread = (path: string, why: string): LeakHit => ({
  level: "hit",
  rule: "unsearchable",
  path,
  member: undefined,
  offset: 0,
  line: 1,
  column: 1,
  encodings: [],
  occurrences: 1,
  message: why,
  excerpt: "",
  hint: "Take it out of what is published, or put the file itself there",
});

/** Lines of one rule and message that are printed; a published .git has thousands. */
const maxLines = 20;

function tell({ files, bytes, hits, notes, notSearched }: LeakReport): void {
  for (const line of shortened(hits)) print(line);
  for (const line of shortened(notes)) say(styled("dim", `note  ${line}`));
  for (const { name, reason } of notSearched)
    say(styled("yellow", `not looked for: ${name}, since ${reason}`));
  const what = `${files.toLocaleString("en")} files, ${(bytes / 1e6).toFixed(1)} MB`;
  if (hits.length === 0) say(`${styled("green", "nothing found")} in ${what}`);
  else say(`${styled("red", `${hits.length} found`)} in ${what}`);
}

function shortened(hits: readonly LeakHit[]): string[] {
  const groups = Map.groupBy(hits, ({ rule, message }) => `${rule} ${message}`);
  return [...groups.values()].flatMap((group) => [
    ...group.slice(0, maxLines).map(describeHit),
    ...(group.length > maxLines ? [`  … and ${group.length - maxLines} more of ${group[0]?.rule}`] : []),
    `  → ${group[0]?.hint}`,
  ]);
}
