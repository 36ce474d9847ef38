import { existsSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { isLoopbackHost } from "../../contract/index.ts";
import { allowedWords } from "../../harden/index.ts";
import { isCurtainwallError, printable } from "../../shared/index.ts";
import { fetchForeignScript, learnFolder, learnSite, loadContract, writeLearned } from "../../stack/index.ts";
import type { Act, TourOptions } from "../../stack/index.ts";
import { findBrowser } from "../audit/audit-inputs.ts";
import { allowOptions, readAllowed } from "./allowed-scripts.ts";
import { actionError, usageError } from "../command.ts";
import type { Command } from "../command.ts";
import { reportLearned } from "./csp-report.ts";
import { readLearned } from "./learned-input.ts";
import { printJson, showProgress } from "../voice.ts";

export const cspCommand: Command = {
  name: "csp",
  usage:
    'learn <folder or address> [--contract <folder>] [--out learned.json] [--script actions.ts] [--pages 1000] [--seconds 900] [--browser <path>] [--follow <folder>] [--learned <file>] [--allow-script <address> "why"] [--fetch-scripts] [--json]',
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
    learned: {
      type: "string",
      says: "what an earlier run wrote: it is added to, findings and all. Without it the result begins anew",
    },
    ...allowOptions,
    "fetch-scripts": {
      type: "boolean",
      says: "get the scripts of other sites that the pages' policies let run, so that it shows what they do; by GET, and nothing else is asked for",
    },
    json: { type: "boolean", says: "print the result as JSON" },
  },
  notes: [
    "The folder is served on loopback under the policies that it would have with nothing left open, which only report. Each page is scrolled,",
    "unfolded, typed into and clicked on; no form is sent, and nothing leaves this machine but what --fetch-scripts asks for.",
    "(Then:  curtainwall harden <folder> --learned learned.json)",
    "With an address like https://localhost:8443, the site that runs there is learned of: one on this machine, or the one whose origin the contract",
    "names. It is asked by GET alone; what pages would send to it ends here. What only its loaders know shows better in the folder that it is made of.",
    "Learned are exact origins and hashes. Code that only appears while a page runs is never allowed by it: it is listed.",
  ],
  async run(input) {
    const { flags, values } = input;
    const [action, place] = input.positionals;
    if (action !== undefined && action !== "learn") throw actionError(action, ["learn"], cspCommand);
    if (action === undefined || place === undefined)
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
    const allowScripts = readAllowed(input, cspCommand);
    const before = readLearned(values.get("learned"), cspCommand);
    const line = showProgress();
    let learned;
    try {
      const tour: TourOptions = {
        executablePath: browser.executablePath,
        act,
        maxPages,
        maxSeconds,
        learned: before,
        allowScripts,
        fetchScript: flags.has("fetch-scripts") ? fetchForeignScript : undefined,
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
    else
      reportLearned(learned, {
        place,
        isFolder: url === undefined,
        out,
        milliseconds,
        words: (follow === undefined ? "" : ` --follow ${follow}`) + allowedWords(allowScripts),
        isFetching: flags.has("fetch-scripts"),
      });
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
