import { existsSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { isLoopbackHost } from "../contract/index.ts";
import { isCurtainwallError, printable } from "../shared/index.ts";
import { learnFolder, learnSite, loadContract, writeLearned } from "../stack/index.ts";
import type { Act, LearnedFolder, TourOptions } from "../stack/index.ts";
import { findBrowser } from "./audit-inputs.ts";
import { usageError } from "./command.ts";
import type { Command } from "./command.ts";
import { print, printJson, say, showProgress, styled } from "./voice.ts";

export const cspCommand: Command = {
  name: "csp",
  usage:
    "learn <folder or address> [--contract <folder>] [--out learned.json] [--script actions.ts] [--pages 1000] [--seconds 900] [--browser <path>] [--follow <folder>] [--json]",
  summary: "Run a site in Chromium and learn what its policies must allow",
  options: {
    out: { type: "string", says: "where the result goes; by default learned.json" },
    script: {
      type: "string",
      says: "a module whose act({ page, path }) is called on each page, with Playwright's page",
    },
    pages: { type: "string", says: "pages visited at most; of more, every n-th; by default 1000" },
    seconds: { type: "string", says: "time for all visits; by default 900" },
    browser: { type: "string", says: "path of Chromium; by default it is looked for in the usual places" },
    contract: {
      type: "string",
      says: "the folder of the contract whose origin is to be learned; by default this one, if it has one",
    },
    follow: { type: "string", says: "a folder outside into which links may lead" },
    json: { type: "boolean", says: "print the result as JSON" },
  },
  notes: [
    "The folder is served on loopback under the policies that it would have with nothing left open, which only report. Each page is scrolled,",
    "unfolded, typed into and clicked on; no form is sent, and nothing leaves this machine. Then:  curtainwall harden <folder> --learned learned.json",
    "With an address like https://localhost:8443, the site that runs there is learned of: one on this machine, or the one whose origin the contract",
    "names. It is asked by GET alone; what pages would send to it ends here. What only its loaders know shows better in the folder that it is made of.",
    "Learned are exact origins and hashes. Code that only appears while a page runs is never allowed by it: it is listed.",
  ],
  async run({ positionals: [action, place], flags, values }) {
    if (action !== "learn" || place === undefined)
      throw usageError("Say what to run, like  curtainwall csp learn dist", cspCommand);
    const started = performance.now();
    const url = /^https?:\/\//i.test(place) ? await ownAddress(place, values.get("contract")) : undefined;
    const out = values.get("out") ?? "learned.json";
    const maxPages = wholeNumber("pages", values.get("pages"), 1_000);
    const maxSeconds = wholeNumber("seconds", values.get("seconds"), 900);
    const act = await actOf(values.get("script"));
    const browser = findBrowser(values.get("browser"));
    if (browser === undefined)
      throw usageError(
        "There is no Chromium in the usual places: say where it is with --browser",
        cspCommand,
      );
    const follow = values.get("follow");
    const line = showProgress();
    let learned;
    try {
      const tour: TourOptions = {
        executablePath: browser.executablePath,
        act,
        maxPages,
        maxSeconds,
        onProgress: (step, done, total) => line.update(`${step} ${done}/${total}`),
      };
      learned = await (url === undefined
        ? learnFolder({ ...tour, folder: place, ...(follow === undefined ? {} : { follow: [follow] }) })
        : learnSite({ ...tour, url }));
    } finally {
      line.done();
    }
    writeFileSync(out, writeLearned(learned));
    const milliseconds = Math.round(performance.now() - started);
    if (flags.has("json")) printJson({ out, milliseconds, ...learned });
    else report(learned, { folder: url === undefined ? place : "<folder>", out, milliseconds });
    return 0;
  },
};

/**
 * Visits press buttons and follow links. So only sites are visited that are certainly the user's: those of this machine, and the one
 * that the contract is about.
 */
async function ownAddress(text: string, contract: string | undefined): Promise<URL> {
  const url = URL.parse(text);
  if (url === null || url.username !== "" || url.password !== "")
    throw usageError(`${printable(text)} is not the address of a site`, cspCommand);
  if (isLoopbackHost(url.hostname)) return url;
  const loaded = await loadContract(contract ?? ".").catch((error: unknown) => {
    if (contract === undefined && isCurtainwallError(error, "STACK_CONFIG_MISSING")) return undefined;
    throw error;
  });
  if (loaded?.contract.origin === url.origin) return url;
  const whose =
    loaded === undefined ? "there is no contract here" : `the contract is for ${loaded.contract.origin}`;
  throw usageError(
    `${url.origin} is not on this machine, and ${whose}: name the folder of the contract of your own site with --contract`,
    cspCommand,
  );
}

function wholeNumber(name: string, text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback;
  if (/^[1-9]\d{0,6}$/.test(text)) return Number(text);
  throw usageError(`--${name} must be a whole number from 1`, cspCommand);
}

async function actOf(script: string | undefined): Promise<Act | undefined> {
  if (script === undefined) return undefined;
  if (!existsSync(script)) throw usageError(`There is no file ${script}`, cspCommand);
  const { act } = (await import(pathToFileURL(resolve(script)).href)) as { act?: unknown };
  if (typeof act === "function") return act as Act;
  throw usageError(`${script} exports no function act({ page, path })`, cspCommand);
}

const shownPages = 3;

function report(
  { classes, findings, pages, visited, failed }: LearnedFolder,
  { folder, out, milliseconds }: { folder: string; out: string; milliseconds: number },
): void {
  print(`${visited.toLocaleString("en")} of ${pages.toLocaleString("en")} pages visited`);
  for (const { pages: names, allow } of classes) {
    const directives = Object.entries(allow);
    if (directives.length === 0)
      print(`  enough    ${names.length} pages need nothing more  ${where(names)}`);
    for (const [directive, sources] of directives)
      print(`  learned   ${directive} ${summary(sources)}  ${where(names)}`);
  }
  for (const { directive, blocked, reason, sample, pages: names } of findings)
    print(
      printable(`  finding   ${directive} ${blocked}: ${reason}${sample === "" ? "" : `: ${sample}`}`) +
        `  ${where(names)}`,
    );
  for (const { page, reason } of failed.slice(0, 10)) print(printable(`  failed    ${page}: ${reason}`));
  if (failed.length > 10) print(`  failed    and ${failed.length - 10} more; see --json`);
  say(`${styled("green", "learned")} in ${milliseconds} ms: ${out}`);
  say(`${styled("dim", "→")} Look through it, then  curtainwall harden ${folder} --learned ${out}`);
}

function summary(sources: readonly string[]): string {
  const hashes = sources.filter((source) => source.startsWith("'sha256-"));
  const others = sources.filter((source) => !source.startsWith("'sha256-"));
  return [
    ...others,
    ...(hashes.length > 0 ? [`${hashes.length} ${hashes.length === 1 ? "hash" : "hashes"}`] : []),
  ].join(" ");
}

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
