import { addedAddress, applicationNote } from "../../harden/index.ts";
import type { SiteReport, Tally } from "../../harden/index.ts";
import { printable } from "../../shared/index.ts";

/** What was typed, as far as further commands repeat it. */
export interface HardenWords {
  readonly folder: string;
  /** The file that `--learned` named. */
  readonly learned: string | undefined;
  /** Other options that `csp learn` takes too, each after a space. */
  readonly words: string;
  /** Reports are sent somewhere. */
  readonly reporting: boolean;
  /** The options stand in a contract, whose folder this is as seen from here: `` or `site/`. Default: they were typed. */
  readonly contract?: string;
}

/** What closes what had to stay open, each as a sentence with what to type. */
export function nextSteps(report: SiteReport, told: HardenWords): string[] {
  return [
    ...closeSteps(report, told),
    ...addSteps(report, told),
    ...stringSteps(report, told),
    ...reportSteps(report, told),
  ];
}

/** Without the scripts of other sites, pages that load one are not learned. */
function learnCommand(
  { foreign }: SiteReport,
  { folder, learned, words, contract = "" }: HardenWords,
): string {
  const file = contract + (learned ?? "learned.json");
  const before = learned === undefined ? "" : ` --learned ${file}`;
  const fetching = foreign.some(({ kind }) => kind === "script") ? " --fetch-scripts" : "";
  return `npx curtainwall csp learn ${folder}${words}${fetching}${before} --out ${file}`;
}

function closeSteps(report: SiteReport, told: HardenWords): string[] {
  const open = openKinds(report);
  const application = report.notes[applicationNote];
  const { learned = "learned.json", contract } = told;
  const after =
    contract === undefined
      ? `,  then harden with  --learned ${learned}`
      : told.learned === undefined
        ? `,  then  site: { learned: "${learned}" }`
        : "";
  if (open.length > 0) {
    const yet = told.learned === undefined ? "" : `, which ${learned} does not hold`;
    return [`Open are ${open.join(", and ")}${yet}. To close them:  ${learnCommand(report, told)}${after}`];
  }
  return application === undefined
    ? []
    : [
        `Applications are on ${pagesOf(application)}. What their other pages load is learned by following their links:  ${learnCommand(report, told)}${after}`,
      ];
}

const nouns = { "runtime-connections": "connections", "runtime-styles": "inline styles" } as const;

function openKinds({ weaknesses }: SiteReport): string[] {
  return (["runtime-connections", "runtime-styles"] as const).flatMap((weakness) => {
    const tally = weaknesses[weakness];
    return tally === undefined ? [] : [`${nouns[weakness]} on ${pagesOf(tally)}`];
  });
}

function addSteps(report: SiteReport, told: HardenWords): string[] {
  const added = Object.keys(report.notes).flatMap((note) => addedAddress(note) ?? []);
  if (added.length === 0) return [];
  const script = added.find((address) => /\.m?js$/.test(address)) ?? added[0] ?? "";
  const shown = printable(script.endsWith("/") ? `${script}…` : script);
  const option =
    told.contract === undefined
      ? `--allow-script ${shown} "why"`
      : `site: { allowScripts: { "${shown}": "why" } }`;
  return [
    `What scripts would add is blocked. If a script is wanted:  ${option};  pictures and frames are learned:  ${learnCommand(report, told)}`,
  ];
}

function stringSteps({ notes }: SiteReport, { contract }: HardenWords): string[] {
  const strings = notes["a script makes code from strings, which is blocked"];
  return strings === undefined
    ? []
    : [
        `Code from strings is blocked on ${pagesOf(strings)}. If it is missed there:  ${contract === undefined ? '--insecure-eval "why"' : 'site: { insecureEval: "why" }'}`,
      ];
}

function reportSteps(report: SiteReport, { reporting, contract }: HardenWords): string[] {
  const isOpen = openKinds(report).length > 0;
  if (reporting || (!isOpen && Object.keys(report.trustedTypes.reportOnly).length === 0)) return [];
  return [
    `To hear of ${isOpen ? "what is left open, and of " : ""}what Trusted Types would refuse:  ${contract === undefined ? "--reports https://…  with an address that takes such reports (curtainwall start does)" : "reports: {}  in the contract"}`,
  ];
}

const pagesOf = ({ pages, examples }: Tally): string =>
  pages === 1
    ? printable(examples[0] ?? "")
    : `${pages.toLocaleString("en")} pages like ${printable(examples[0] ?? "")}`;
