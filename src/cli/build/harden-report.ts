import type { SiteReport, Tally, Weakness } from "../../harden/index.ts";
import { counted, printable } from "../../shared/index.ts";
import type { HardenedSite } from "../../stack/index.ts";
import { nextSteps } from "./harden-steps.ts";
import type { HardenWords } from "./harden-steps.ts";
import { duration, print, say, styled } from "../voice.ts";

/** What a weakness means to whoever reads the report. */
const meanings: Readonly<Record<Weakness, string>> = {
  handlers: "event handlers in attributes, allowed one by one: injected markup could use them again",
  "style-attributes": "style= attributes, allowed one by one",
  "runtime-scripts":
    "a loader adds scripts, or starts workers, by names that are made up while the page runs: any script of the site may run",
  "added-scripts":
    "scripts may add others from other sites, by address: whatever lies there runs, with any query",
  "runtime-styles": "scripts add styles that can't be known beforehand: any inline style is allowed",
  "runtime-connections": "scripts connect to what can't be known beforehand: any HTTPS address is allowed",
  "code-from-strings": "scripts make code from strings, which --insecure-eval allows",
  webassembly: "a script compiles WebAssembly",
  "foreign-styles": "stylesheets of other sites load what can't be known beforehand",
};

/** What is told beside the report. */
export interface HardenTold extends HardenWords {
  /** Undefined: nothing was written. */
  readonly out: string | undefined;
  readonly milliseconds: number;
}

/** Prints what was found, and what is weaker and why. */
export function reportHardened({ report: found }: HardenedSite): void {
  const scripts = [
    counted(found.inlineScripts, "inline script"),
    counted(found.externalScripts, "linked script"),
    ...(found.modules > 0 ? [counted(found.modules, "imported module")] : []),
    ...(found.handlers > 0 ? [counted(found.handlers, "event handler")] : []),
  ];
  print(`${counted(found.pages, "page")}, ${counted(found.files, "file")}: ${scripts.join(", ")}`);
  reportPolicies(found);
  reportFiles(found);
}

/** Says what was done, and what to do next. */
export function concludeHardened({ report: found, notes }: HardenedSite, told: HardenTold): void {
  const { out, milliseconds } = told;
  say(
    out === undefined
      ? `${styled("green", "planned")} in ${duration(milliseconds)}; nothing was written`
      : `${styled("green", "hardened")} in ${duration(milliseconds)}: ${out}`,
  );
  for (const step of nextSteps(found, told)) say(`${styled("dim", "→")} ${step}`);
  for (const note of notes) say(`${styled("dim", "→")} ${note}`);
}

/** Says how many pages are strict, and of those that are not, why. */
export function reportStrict({ pages, weakened, weaknesses, learned, allowScripts }: SiteReport): void {
  print(
    `  strict    ${number(pages - weakened)} of ${number(pages)} pages allow exactly what is on them${
      learned.pages === 0 ? "" : `, and what was learned: ${number(learned.pages)} need that`
    }`,
  );
  for (const [weakness, tally] of Object.entries(weaknesses))
    row("weakened", tally, meanings[weakness as Weakness]);
  for (const [source, tally] of Object.entries(learned.sources)) row("learned", tally, source);
  if (learned.gone.length > 0)
    row("learned", tallyOf(learned.gone), "of pages that the site does not have: learn it anew");
  for (const script of allowScripts)
    row("allowed", script, `scripts may add ${script.address}: ${script.reason}`);
}

const tallyOf = (pages: readonly string[]): Tally => ({ pages: pages.length, examples: pages.slice(0, 10) });

function reportPolicies(found: SiteReport): void {
  reportStrict(found);
  if (found.insecureEval !== undefined)
    print(`  reason    ${printable(found.insecureEval)} (--insecure-eval)`);
  const { enforced, reportOnly } = found.trustedTypes;
  print(`  types     Trusted Types are enforced on ${number(enforced)} of ${number(found.pages)} pages`);
  if (enforced < found.pages)
    row("", total(reportOnly), `not enforced for ${Object.keys(reportOnly).join(", ")}`);
  if (found.styleAttributes.moved > 0)
    print(
      `  moved     ${counted(found.styleAttributes.moved, "style= attribute")} into hashed stylesheets, where that is exact`,
    );
  if (found.scriptUrls.rewritten + found.scriptUrls.neutralised > 0)
    print(
      `  rewritten ${counted(found.scriptUrls.rewritten, "javascript: link")}; ${found.scriptUrls.neutralised} neutralised`,
    );
}

/** More of one kind are counted. */
const maxMissing = 15;

function reportFiles(found: SiteReport): void {
  for (const script of found.foreign)
    row(script.kind === "style" ? "style" : "foreign", script, `${script.url}  ${pinning(script)}`);
  for (const { kind, path, ...tally } of found.missing.slice(0, maxMissing))
    row("missing", tally, `there is no ${kind} ${path}`);
  if (found.missing.length > maxMissing)
    print(`  missing   and ${found.missing.length - maxMissing} more; see --json`);
  for (const [note, tally] of Object.entries(found.notes)) row("note", tally, note);
  for (const { path, reason } of found.skipped.slice(0, 10))
    print(`  left out  ${printable(path)}: ${reason}`);
  if (found.skipped.length > 10) print(`  left out  and ${found.skipped.length - 10} more; see --json`);
  if (found.split > 0)
    print(
      `  split     ${counted(found.split, "policy", "policies")} too long for one header: the hashes stand in a <meta>`,
    );
}

function row(label: string, { pages, examples }: Tally, text: string): void {
  const where =
    pages === 0 ? "no page" : pages === 1 ? examples[0] : `${number(pages)} pages, like ${examples[0]}`;
  print(`  ${label.padEnd(9)} ${printable(text)}  ${styled("dim", `(${printable(where ?? "")})`)}`);
}

/** A page may have several reasons: the largest tally names the pages best. */
function total(tallies: Readonly<Record<string, Tally>>): Tally {
  return (
    Object.values(tallies).sort((left, right) => right.pages - left.pages)[0] ?? { pages: 0, examples: [] }
  );
}

/** A stylesheet runs nothing, but decides what is seen, and by selectors and pictures it can tell its owner what stands in attributes. */
function pinning({
  kind,
  integrity,
  versioned,
}: Pick<SiteReport["foreign"][number], "kind" | "integrity" | "versioned">): string {
  if (integrity !== undefined) return "pinned by its integrity";
  if (versioned) return "unpinned: its address names a version, so add an integrity";
  return kind === "script"
    ? "unpinnable: whatever lies there runs"
    : "unpinnable: it runs nothing, but its owner decides how the page looks";
}

const number = (value: number): string => value.toLocaleString("en");
