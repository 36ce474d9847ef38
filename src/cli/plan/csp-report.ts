import { counted, printable } from "../../shared/index.ts";
import type { LearnedFolder } from "../../stack/index.ts";
import { duration, print, say, styled } from "../voice.ts";

/** What was typed, as far as the next commands repeat it. */
export interface LearnTold {
  /** The folder, or the address. */
  readonly place: string;
  readonly isFolder: boolean;
  readonly out: string;
  readonly milliseconds: number;
  /** Further options, each after a space. */
  readonly words: string;
  /** Scripts of other sites were got. */
  readonly isFetching: boolean;
}

/** Tells what a site's run has shown, and what to do with it. */
export function reportLearned(learned: LearnedFolder, told: LearnTold): void {
  const { classes, findings, pages, visited, failed } = learned;
  print(`${visited.toLocaleString("en")} of ${counted(pages, "page")} learned`);
  for (const { pages: names, allow } of classes) {
    const directives = Object.entries(allow);
    if (directives.length === 0)
      print(
        `  enough    ${names.length === 1 ? "1 page needs" : `${names.length.toLocaleString("en")} pages need`} nothing more  ${where(names)}`,
      );
    for (const [directive, sources] of directives)
      print(`  learned   ${directive} ${summary(sources)}  ${where(names)}`);
  }
  for (const { directive, blocked, reason, sample, pages: names } of findings)
    print(
      printable(`  finding   ${directive} ${blocked}: ${reason}${sample === "" ? "" : `: ${sample}`}`) +
        `  ${where(names)}`,
    );
  for (const [reason, names] of byReason(failed)) print(`  failed    ${printable(reason)}  ${where(names)}`);
  say(
    `${styled("green", visited === 0 ? "nothing learned" : "learned")} in ${duration(told.milliseconds)}: ${told.out}`,
  );
  for (const step of steps(learned, told)) say(`${styled("dim", "→")} ${step}`);
}

function steps({ classes, findings, failed }: LearnedFolder, told: LearnTold): string[] {
  const { place, isFolder, out, words, isFetching } = told;
  const again = `npx curtainwall csp learn ${place}${words} --learned ${out} --out ${out}`;
  const script = findings.find(
    ({ directive, blocked }) => directive.startsWith("script-src") && /^https:\/\/[^/]+\/./.test(blocked),
  );
  const isLost = failed.some(({ reason }) => reason.startsWith("not learned: a script could not be loaded"));
  return [
    ...(isLost && !isFetching
      ? [
          `What a script of another site does shows only when it runs. To have it fetched from there, by GET:  ${again} --fetch-scripts`,
        ]
      : []),
    ...(script === undefined
      ? []
      : [
          `A script that was added is blocked. If it is wanted:  ${again} --allow-script ${printable(script.blocked)} "why",  and the same when you harden`,
        ]),
    ...(classes.length === 0
      ? []
      : [
          `Look through ${out}, then  npx curtainwall harden ${isFolder ? place : "<folder>"}${words} --learned ${out}`,
        ]),
  ];
}

function byReason(failed: LearnedFolder["failed"]): [reason: string, pages: string[]][] {
  const reasons = new Map<string, string[]>();
  for (const { page, reason } of failed) reasons.set(reason, [...(reasons.get(reason) ?? []), page]);
  return [...reasons];
}

function summary(sources: readonly string[]): string {
  const hashes = sources.filter((source) => source.startsWith("'sha256-"));
  const others = sources.filter((source) => !source.startsWith("'sha256-"));
  return [...others, ...(hashes.length > 0 ? [counted(hashes.length, "hash", "hashes")] : [])].join(" ");
}

const shownPages = 3;

function where(pages: readonly string[]): string {
  const names = pages
    .slice(0, shownPages)
    .map((page) => printable(page))
    .join(", ");
  return styled(
    "dim",
    `(${pages.length > shownPages ? `${names} and ${pages.length - shownPages} more` : names})`,
  );
}
