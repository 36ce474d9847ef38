import { keepCompiled } from "./keep-compiled.ts";
import { recall, recordFiles } from "./build-record.ts";
import type { BuildResult } from "./build-result.ts";
import type { Command } from "../command.ts";
import { describeRelease, kilobytes } from "../release/describe-release.ts";
import { tellNotSearched, verboseOption } from "./not-searched.ts";
import { readDuration } from "../read-duration.ts";
import { print, printJson, say, styled } from "../voice.ts";
import { counted } from "../../shared/index.ts";

/** Loads what builds only when there is something to build. */
export const buildCommand: Command = {
  name: "build",
  usage: "[folder] [--drafts] [--offline] [--frozen] [--time-limit 1200] [--verbose] [--json]",
  summary: "Build the site into a release that the edge serves",
  options: {
    drafts: { type: "boolean", says: "build pages with draft: true, too, for a look at them" },
    offline: { type: "boolean", says: "ask no source, and take what the last build was answered" },
    frozen: {
      type: "boolean",
      says: "for CI: take only what the lock says that somebody approved; never write it",
    },
    "time-limit": {
      type: "string",
      says: "how long the site's own build may take: 90s, 20m, or a number of seconds; by default 600",
    },
    verbose: verboseOption,
    json: { type: "boolean", says: "print the result as JSON" },
  },
  notes: [
    "The release goes into .curtainwall/edge/releases/ beside the contract, signed. If the build fails, the one before stays; if a",
    "stack runs, it serves the new one about a second later. What browsers may run must lie inside the program that the program key",
    "signed:  curtainwall key --help",
  ],
  async run({ positionals, flags, values }) {
    const started = performance.now();
    const place = positionals[0] ?? ".";
    const drafts = flags.has("drafts");
    const offline = flags.has("offline");
    const timeoutMs = readDuration("time-limit", values.get("time-limit"), buildCommand);
    const files = recordFiles(place);
    const frozen = flags.has("frozen");
    // What nobody has approved is refused by this one, and was not by the one before.
    const { same, edit } = drafts || frozen ? {} : recall(files, Date.now());
    if (same === undefined) keepCompiled(files);
    const known =
      same ??
      (edit === undefined ? undefined : await (await import("./build-page.ts")).buildPage(edit, files));
    const result =
      known === undefined
        ? await (
            await import("./build.ts")
          ).buildAny(place, {
            drafts,
            frozen,
            offline,
            timeoutMs,
            json: flags.has("json"),
            verbose: flags.has("verbose"),
          })
        : { ...known, milliseconds: Math.round(performance.now() - started) };
    if (result === undefined) return 0;
    if (flags.has("json")) printJson(result);
    else report(result, flags.has("verbose"));
    return 0;
  },
};

/** Notes of the leak gate that are told unasked. */
const maxNotes = 10;

function report(
  {
    pages,
    warnings,
    untranslated,
    files,
    bytes,
    releaseBytes,
    milliseconds,
    notSearched,
    notes,
    withheld,
    isJailed,
    ...release
  }: BuildResult,
  isVerbose: boolean,
): void {
  // In one go: a call of the system for each line takes longer than all else when nothing changed.
  if (pages.length > 0) print(pages.map(({ path }) => path).join("\n"));
  for (const { file: source, line, message } of warnings)
    say(`${styled("yellow", "removed")} ${source}${line === undefined ? "" : `:${line}`}: ${message}`);
  for (const { locale, files: missing } of untranslated)
    say(
      `${styled("yellow", "not translated")} into ${locale}: ${counted(missing.length, "file")}, like ${missing.slice(0, isVerbose ? missing.length : 3).join(", ")}`,
    );
  for (const name of withheld)
    say(
      `${styled("yellow", "withheld")} the variable ${name}, which a template asked for: declare it in publicEnv if visitors may see it`,
    );
  if (!isJailed)
    say(
      `${styled("yellow", "NOT JAILED")} templates ran with all that you may do: bubblewrap (bwrap) is not installed or does not work here`,
    );
  for (const { text } of notes.slice(0, isVerbose ? notes.length : maxNotes))
    say(`${styled("yellow", "look at")} ${text}`);
  if (!isVerbose && notes.length > maxNotes)
    say(`${styled("yellow", "look at")} ${notes.length - maxNotes} more like these; --verbose names all`);
  tellNotSearched(notSearched, " in the output", isVerbose);
  if (pages.length === 0) {
    say(`${styled("green", "built")} the release of an API alone: the contract has no site`);
    say(styled("dim", describeRelease(release)));
    return;
  }
  say(
    `${styled("green", "built")} ${counted(pages.length, "page")}, ${counted(files, "file")}, ${kilobytes(bytes)} (${kilobytes(releaseBytes)} with compressed copies) in ${milliseconds} ms`,
  );
  say(
    styled(
      "dim",
      `${describeRelease(release)}\nEvery page has its own policy: scripts and inline styles by exact hashes, linked styles of this site with integrity; see them with --json`,
    ),
  );
}
