import { addedAddress, applicationNote } from "../harden/index.ts";
import type { SiteReport, Tally, Weakness } from "../harden/index.ts";
import { printable } from "../shared/index.ts";
import type { HardenedSite } from "../stack/index.ts";
import { print, say, styled } from "./voice.ts";

/** What a weakness means to whoever reads the report. */
export const meanings: Readonly<Record<Weakness, string>> = {
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

/** Tells what was found and done, and what to do next. */
export function reportHardened(
  { report: found, notes }: HardenedSite,
  { out, milliseconds, reporting }: { out: string | undefined; milliseconds: number; reporting: boolean },
): void {
  const scripts = [
    count(found.inlineScripts, "inline script"),
    count(found.externalScripts, "linked script"),
    ...(found.modules > 0 ? [count(found.modules, "imported module")] : []),
    ...(found.handlers > 0 ? [count(found.handlers, "event handler")] : []),
  ];
  print(`${count(found.pages, "page")}, ${count(found.files, "file")}: ${scripts.join(", ")}`);
  print(`  strict    ${found.pages - found.weakened} of ${found.pages} pages allow exactly what is on them`);
  for (const [weakness, tally] of Object.entries(found.weaknesses))
    row("weakened", tally, meanings[weakness as Weakness]);
  if (found.insecureEval !== undefined)
    print(`  reason    ${printable(found.insecureEval)} (--insecure-eval)`);
  const { enforced, reportOnly } = found.trustedTypes;
  print(`  types     Trusted Types are enforced on ${enforced} of ${found.pages} pages`);
  if (enforced < found.pages)
    row("         ", total(reportOnly), `not enforced for ${Object.keys(reportOnly).join(", ")}`);
  if (found.styleAttributes.moved > 0)
    print(
      `  moved     ${count(found.styleAttributes.moved, "style= attribute")} into hashed stylesheets, where that is exact`,
    );
  if (found.scriptUrls.rewritten + found.scriptUrls.neutralised > 0)
    print(
      `  rewritten ${count(found.scriptUrls.rewritten, "javascript: link")}; ${found.scriptUrls.neutralised} neutralised`,
    );
  for (const script of found.foreign) row("foreign", script, `${script.url}  ${pinning(script)}`);
  for (const script of found.allowScripts)
    row("allowed", script, `scripts may add ${script.address}: ${script.reason}`);
  for (const [address, tally] of Object.entries(found.missing))
    row("missing", tally, `the script ${address} does not exist`);
  for (const [note, tally] of Object.entries(found.notes)) row("note", tally, note);
  for (const { path, reason } of found.skipped.slice(0, 10)) print(`  left out  ${path}: ${reason}`);
  if (found.skipped.length > 10) print(`  left out  and ${found.skipped.length - 10} more; see --json`);
  if (found.split > 0)
    print(
      `  split     ${count(found.split, "policy", "policies")} too long for one header: the hashes stand in a <meta>`,
    );
  say(
    out === undefined
      ? `${styled("green", "planned")} in ${milliseconds} ms; nothing was written`
      : `${styled("green", "hardened")} in ${milliseconds} ms: ${out}`,
  );
  for (const step of nextSteps(found, reporting)) say(`${styled("dim", "→")} ${step}`);
  for (const note of notes) say(`${styled("dim", "→")} ${note}`);
}

/** What closes what had to stay open, for each kind of page. */
function nextSteps({ weaknesses, trustedTypes, notes }: SiteReport, reporting: boolean): string[] {
  const open = (["runtime-connections", "runtime-styles"] as const).flatMap((weakness) => {
    const tally = weaknesses[weakness];
    return tally === undefined ? [] : [`${nouns[weakness]} on ${pagesOf(tally)}`];
  });
  const added = Object.keys(notes).flatMap((note) => addedAddress(note) ?? []);
  const strings = notes["a script makes code from strings, which is blocked"];
  return [
    ...(open.length === 0
      ? []
      : [
          `Open are ${open.join(", and ")}. To close them:  npx curtainwall csp learn <folder> --out learned.json,  then harden with  --learned learned.json`,
        ]),
    ...(reporting || (open.length === 0 && Object.keys(trustedTypes.reportOnly).length === 0)
      ? []
      : [
          "To hear of what is left open, and of what Trusted Types would refuse, until then:  --reports https://…  with an address that takes such reports (our edge does, at the path that the contract's  reports  names)",
        ]),
    ...(notes[applicationNote] === undefined || open.length > 0
      ? []
      : [
          `Applications are on ${pagesOf(notes[applicationNote])}. What their other pages load is learned by following their links:  npx curtainwall csp learn <folder>`,
        ]),
    ...(added.length === 0
      ? []
      : [
          `What scripts would add is blocked. If a script is wanted:  --allow-script ${shownAddress(added)} "why";  pictures and frames are learned:  npx curtainwall csp learn <folder>`,
        ]),
    ...(strings === undefined
      ? []
      : [
          `Code from strings is blocked on ${pagesOf(strings)}. If it is missed there:  --insecure-eval "why"`,
        ]),
  ];
}

/** One that is sure to be a whole address, if there is any. */
function shownAddress(addresses: readonly string[]): string {
  const whole = addresses.find((address) => /\.m?js$/.test(address)) ?? addresses[0] ?? "";
  return printable(whole.endsWith("/") ? `${whole}…` : whole);
}

const nouns = { "runtime-connections": "connections", "runtime-styles": "inline styles" } as const;
const pagesOf = ({ pages, examples }: Tally): string =>
  pages === 1 ? (examples[0] ?? "") : `${count(pages, "page")} like ${examples[0]}`;

function row(label: string, { pages, examples }: Tally, text: string): void {
  const where = pages === 0 ? "no page" : pages === 1 ? examples[0] : `${pages} pages, like ${examples[0]}`;
  print(`  ${label.padEnd(9)} ${printable(text)}  ${styled("dim", `(${printable(where ?? "")})`)}`);
}

/** A page may have several reasons: the largest tally names the pages best. */
function total(tallies: Readonly<Record<string, Tally>>): Tally {
  return (
    Object.values(tallies).sort((left, right) => right.pages - left.pages)[0] ?? { pages: 0, examples: [] }
  );
}

function pinning({ integrity, versioned }: { integrity: string | undefined; versioned: boolean }): string {
  if (integrity !== undefined) return "pinned by its integrity";
  return versioned
    ? "unpinned: its address names a version, so add an integrity"
    : "unpinnable: whatever lies there runs";
}

export const count = (number: number, one: string, many = `${one}s`): string =>
  `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
