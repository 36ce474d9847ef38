import { existsSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { applicationNote } from "../harden/index.ts";
import type { SiteReport, Tally, Weakness } from "../harden/index.ts";
import { hostNames } from "../hosts/index.ts";
import type { HostName } from "../hosts/index.ts";
import { createContractGate, hardenSite, loadContract, parseLearned } from "../stack/index.ts";
import type { HardenedSite, LearnedSite } from "../stack/index.ts";
import { printable } from "../shared/index.ts";
import { usageError } from "./command.ts";
import { describeLock, lockInput, lockOptions, today } from "./lock-input.ts";
import type { Command } from "./command.ts";
import { placeOf, placeOptions } from "./host-place.ts";
import { print, printJson, say, showProgress, styled } from "./voice.ts";

export const hardenCommand: Command = {
  name: "harden",
  usage: `<folder> [--out <folder>] [--for ${hostNames.join("|")}] [options]`,
  summary: "Give the output of any generator the strictest policies under which it works",
  options: {
    out: { type: "string", says: "where the result goes; by default <folder>-hardened" },
    for: { type: "string", says: `the host that it is for: ${hostNames.join(", ")}` },
    ...placeOptions,
    origin: { type: "string", says: "where it will be served from; some policies get stricter by it" },
    contract: { type: "string", says: "the folder of a contract, for its private values and its exceptions" },
    follow: { type: "string", says: "a folder outside into which links may lead" },
    learned: {
      type: "string",
      says: "what  curtainwall csp learn  wrote: the pages in it are closed to all else",
    },
    reports: {
      type: "string",
      says: "where browsers report what a policy refused: an https address, or a path of the site, that takes them; nginx and Caddy alone don't",
    },
    "insecure-eval": {
      type: "string",
      says: "why scripts may make code from strings, on the pages whose scripts do",
    },
    charset: {
      type: "string",
      says: "what the site's pages were served as until now, if that is not what they say themselves",
    },
    "no-compress": {
      type: "boolean",
      says: "for nginx and Caddy: don't lay brotli, zstd and gzip forms beside the files",
    },
    ...lockOptions,
    frozen: {
      type: "boolean",
      says: "for CI: fail on every script that nobody has approved; never write the lock",
    },
    plan: { type: "boolean", says: "only report; write nothing" },
    json: { type: "boolean", says: "print the report as JSON" },
  },
  notes: [
    "The folder is only read. The result replaces the one before, whole or not at all.",
    "A page is listed as weakened when its policy had to allow more than exact hashes; the report says what and why.",
  ],
  async run({ positionals: [folder], flags, values }) {
    if (folder === undefined) throw usageError("Name the folder that the generator wrote", hardenCommand);
    const started = performance.now();
    const out = values.get("out") ?? `${folder.replace(/\/+$/, "")}-hardened`;
    const contract = values.get("contract");
    const loaded = contract === undefined ? undefined : await loadContract(contract);
    const line = showProgress();
    const follow = values.get("follow");
    const lock = lockInput(folder, values);
    let site;
    try {
      site = await hardenSite({
        folder,
        out,
        host: hostOf(values.get("for")),
        origin: originOf(values.get("origin")),
        place: placeOf(values, hardenCommand),
        plan: flags.has("plan"),
        gate: createContractGate({
          contract: loaded?.contract,
          root: loaded?.root ?? folder,
          variables: process.env,
        }),
        lock: { ...lock, frozen: flags.has("frozen"), day: today() },
        ...(follow === undefined ? {} : { follow: [follow] }),
        learned: learnedOf(values.get("learned")),
        reports: reportsOf(values.get("reports")),
        insecureEval: values.get("insecure-eval"),
        charset: charsetOf(values.get("charset")),
        compressed: flags.has("no-compress") ? undefined : join(".curtainwall", "compressed", basename(out)),
        onProgress: (step, done, total) => line.update(`${step} ${done}/${total}`),
      });
    } finally {
      line.done();
    }
    const milliseconds = Math.round(performance.now() - started);
    if (flags.has("json"))
      printJson({ out, milliseconds, notes: site.notes, report: site.report, scripts: site.review });
    else {
      report(site, {
        out: flags.has("plan") ? undefined : out,
        milliseconds,
        reporting: values.has("reports"),
      });
      describeLock(site.review, { folder, file: lock.open.file, words: lock.words });
    }
    return 0;
  },
};

function learnedOf(file: string | undefined): LearnedSite | undefined {
  if (file === undefined) return undefined;
  if (!existsSync(file)) throw usageError(`There is no file ${file}`, hardenCommand);
  return parseLearned(readFileSync(file, "utf8"));
}

/** It stands in two headers, where `;`, `,` and quotes mean something. */
function reportsOf(to: string | undefined): string | undefined {
  if (to === undefined || (/^(?:https:\/\/[\w.-]+(?::\d+)?)?\/[\w./~-]*$/.test(to) && !to.startsWith("//")))
    return to;
  throw usageError(
    "--reports is a path like /_reports, or an address like https://reports.example/in",
    hardenCommand,
  );
}

/** Reads `--charset`: one of the names by which browsers know encodings. */
function charsetOf(label: string | undefined): string | undefined {
  if (label === undefined) return undefined;
  try {
    return new TextDecoder(label).encoding;
  } catch {
    throw usageError(`--charset ${JSON.stringify(label)} is no encoding that browsers know`, hardenCommand);
  }
}

function hostOf(name: string | undefined): HostName | undefined {
  const host = hostNames.find((known) => known === name);
  if (name === undefined || host !== undefined) return host;
  throw usageError(`--for ${JSON.stringify(name)} is no host that it knows`, hardenCommand);
}

/** Reads `--origin`. */
export function originOf(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const url = URL.parse(text);
  if (
    url?.protocol === "https:" &&
    url.pathname === "/" &&
    url.search === "" &&
    url.hash === "" &&
    url.username === ""
  )
    return url.origin;
  throw usageError(
    "--origin is the site's address without a path, like https://www.example.com",
    hardenCommand,
  );
}

/** What a weakness means to whoever reads the report. */
export const meanings: Readonly<Record<Weakness, string>> = {
  handlers: "event handlers in attributes, allowed one by one: injected markup could use them again",
  "style-attributes": "style= attributes, allowed one by one",
  "runtime-scripts":
    "a loader adds scripts, or starts workers, by names that are made up while the page runs: any script of the site may run",
  "runtime-styles": "scripts add styles that can't be known beforehand: any inline style is allowed",
  "runtime-connections": "scripts connect to what can't be known beforehand: any HTTPS address is allowed",
  "code-from-strings": "scripts make code from strings, which --insecure-eval allows",
  webassembly: "a script compiles WebAssembly",
  "foreign-styles": "stylesheets of other sites load what can't be known beforehand",
};

function report(
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
    ...(strings === undefined
      ? []
      : [
          `Code from strings is blocked on ${pagesOf(strings)}. If it is missed there:  --insecure-eval "why"`,
        ]),
  ];
}

const nouns = { "runtime-connections": "connections", "runtime-styles": "inline styles" } as const;
const pagesOf = ({ pages, examples }: Tally): string =>
  pages === 1 ? (examples[0] ?? "") : `${count(pages, "page")} like ${examples[0]}`;

function row(label: string, { pages, examples }: Tally, text: string): void {
  const where = examples.length === 1 ? examples[0] : `${pages} pages, like ${examples[0]}`;
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
