import type { LeakGate, LeakHit, LibraryReport } from "../../harden/index.ts";
import { createContractGate, describeHit, loadContract, outputFingerprints } from "../../stack/index.ts";
import type { LoadedContract } from "../../stack/index.ts";
import { counted, isCurtainwallError } from "../../shared/index.ts";
import type { Command } from "../command.ts";
import { usageError } from "../command.ts";
import { filesOf } from "./files-of.ts";
import { openLibraryScan } from "./library-scan.ts";
import { tellNotSearched, verboseOption } from "./not-searched.ts";
import { print, printJson, say, showProgress, styled } from "../voice.ts";

/** What `curtainwall leaks` found. */
export interface LeakReport {
  readonly files: number;
  readonly bytes: number;
  readonly hits: readonly LeakHit[];
  readonly notes: readonly LeakHit[];
  /** Names of values that can't be looked for, and why. */
  readonly notSearched: LeakGate["notSearched"];
  /** Undefined without a feed of advisories. */
  readonly libraries: LibraryReport | undefined;
}

/** Options of {@link lookForLeaks}. */
interface LeakSearchOptions {
  readonly contract?: string | undefined;
  readonly advisories?: string | undefined;
  readonly advisoriesDate?: string | undefined;
}

export const leaksCommand: Command = {
  name: "leaks",
  usage: "<folder> [--contract <folder>] [--advisories <file> --advisories-date <day>] [--verbose] [--json]",
  summary: "Look for secrets, private files and traces of the build in what would be published",
  options: {
    contract: { type: "string", says: "the folder of the contract; by default this one, if it has one" },
    advisories: {
      type: "string",
      says: "a feed in retire.js' format: browser libraries are looked up in it",
    },
    "advisories-date": {
      type: "string",
      says: "the day when the feed was made, like 2026-08-22; without it nothing is proved",
    },
    verbose: verboseOption,
    json: { type: "boolean", says: "print the result as JSON" },
  },
  notes: [
    "The values of the contract's privateEnv, as this command's own environment has them, are looked for in every encoding; without a",
    "contract, those of variables whose names tell that they are secrets. Exit code 1: something was found.",
  ],
  async run({ positionals, flags, values }) {
    const [folder] = positionals;
    if (folder === undefined) throw usageError("Name the folder that would be published", leaksCommand);
    const report = await lookForLeaks(folder, {
      contract: values.get("contract"),
      advisories: values.get("advisories"),
      advisoriesDate: values.get("advisories-date"),
    });
    if (flags.has("json")) printJson(report);
    else tell(report, flags.has("verbose"));
    return report.hits.length === 0 && report.libraries?.verdict !== "vulnerable" ? 0 : 1;
  },
};

/** Sends every file of a folder through the leak gate. */
export async function lookForLeaks(
  folder: string,
  { contract, advisories, advisoriesDate }: LeakSearchOptions,
): Promise<LeakReport> {
  const loaded = await contractIn(contract);
  const libraries = advisories === undefined ? undefined : openLibraryScan(advisories, advisoriesDate);
  const gate = createContractGate({
    contract: loaded?.contract,
    root: loaded?.root ?? process.cwd(),
    variables: process.env,
    fingerprints: loaded === undefined ? undefined : await outputFingerprints(loaded),
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
      if (file.bytes !== undefined) libraries?.inspect(file);
      files++;
      bytes += file.bytes?.length ?? 0;
      line.update(`${counted(files, "file")}, ${Math.round(bytes / 1e6)} MB`);
    }
  } finally {
    line.done();
  }
  found.push(...gate.finish());
  const of = (level: LeakHit["level"]): LeakHit[] => found.filter((hit) => hit.level === level);
  return {
    files,
    bytes,
    hits: of("hit"),
    notes: of("note"),
    notSearched: gate.notSearched,
    libraries: libraries?.finish(),
  };
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

function tell({ files, bytes, hits, notes, notSearched, libraries }: LeakReport, isVerbose: boolean): void {
  for (const line of shortened(hits)) print(line);
  for (const line of shortened(notes)) say(styled("dim", `note  ${line}`));
  tellNotSearched(notSearched, "", isVerbose);
  if (libraries !== undefined) tellLibraries(libraries);
  const what = `${counted(files, "file")}, ${(bytes / 1e6).toFixed(1)} MB`;
  if (hits.length === 0) say(`${styled("green", "no leak found")} in ${what}`);
  else say(`${styled("red", `${hits.length} leaks found`)} in ${what}`);
}

function tellLibraries({ verdict, reasons, feedAgeDays, libraries }: LibraryReport): void {
  for (const { name, version, where, vulnerabilities } of libraries)
    for (const { severity, identifiers, fixedIn } of vulnerabilities)
      print(
        // The feed and the names of files are foreign: nothing in them may steer a terminal.
        `${where}: ${name} ${version}: ${severity}, ${identifiers.join(" ")}${fixedIn === undefined ? "" : `, fixed in ${fixedIn}`}`.replaceAll(
          /[^\P{C}]/gu,
          "·",
        ),
      );
  const age = feedAgeDays === undefined ? "of unknown age" : `${feedAgeDays} days old`;
  say(`browser libraries: ${verdict} (${libraries.length} recognised, feed ${age})`);
  for (const reason of reasons) say(styled("yellow", `  ${reason}`));
}

function shortened(hits: readonly LeakHit[]): string[] {
  const groups = Map.groupBy(hits, ({ rule, message }) => `${rule} ${message}`);
  return [...groups.values()].flatMap((group) => [
    ...group.slice(0, maxLines).map(describeHit),
    ...(group.length > maxLines ? [`  … and ${group.length - maxLines} more of ${group[0]?.rule}`] : []),
    `  → ${group[0]?.hint}`,
  ]);
}
