import { basename, join } from "node:path";
import { allowedWords } from "../../harden/index.ts";
import { hostNames } from "../../hosts/index.ts";
import type { HostName } from "../../hosts/index.ts";
import { nearest } from "../../shared/index.ts";
import { createContractGate, hardenSite, loadContract, outputFingerprints } from "../../stack/index.ts";
import { allowOptions, readAllowed } from "../plan/allowed-scripts.ts";
import { usageError } from "../command.ts";
import { readLearned } from "../plan/learned-input.ts";
import { describeLock, lockInput, lockOptions, today } from "../plan/lock-input.ts";
import type { Command } from "../command.ts";
import { concludeHardened, reportHardened } from "./harden-report.ts";
import { placeOf, placeOptions } from "./host-place.ts";
import { printJson, showProgress } from "../voice.ts";

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
    ...allowOptions,
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
  async run(input) {
    const { flags, values } = input;
    const [folder] = input.positionals;
    if (folder === undefined) throw usageError("Name the folder that the generator wrote", hardenCommand);
    const started = performance.now();
    const out = values.get("out") ?? `${folder.replace(/\/+$/, "")}-hardened`;
    const contract = values.get("contract");
    const loaded = contract === undefined ? undefined : await loadContract(contract);
    const line = showProgress();
    const follow = values.get("follow");
    const allowScripts = readAllowed(input, hardenCommand);
    const lock = lockInput(folder, values, allowScripts);
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
          fingerprints: loaded === undefined ? undefined : await outputFingerprints(loaded),
        }),
        lock: { ...lock, frozen: flags.has("frozen"), day: today() },
        ...(follow === undefined ? {} : { follow: [follow] }),
        learned: readLearned(values.get("learned"), hardenCommand),
        reports: reportsOf(values.get("reports")),
        insecureEval: values.get("insecure-eval"),
        allowScripts,
        charset: charsetOf(values.get("charset")),
        compressed: flags.has("no-compress") ? undefined : join(".curtainwall", "compressed", basename(out)),
        onProgress: (step, done, total) => line.update(`${steps[step]} ${done}/${total}`),
      });
    } finally {
      line.done();
    }
    const milliseconds = Math.round(performance.now() - started);
    if (flags.has("json"))
      printJson({ out, milliseconds, notes: site.notes, report: site.report, scripts: site.review });
    else {
      reportHardened(site);
      describeLock(site.review, { folder, file: lock.open.file, words: lock.words });
      concludeHardened(site, {
        folder,
        out: flags.has("plan") ? undefined : out,
        milliseconds,
        learned: values.get("learned"),
        words: (follow === undefined ? "" : ` --follow ${follow}`) + allowedWords(allowScripts),
        reporting: values.has("reports"),
      });
    }
    return 0;
  },
};

/** What takes long is said with what would spare it. */
const steps = {
  hardening: "hardening",
  inspecting: "looking for secrets",
  packing: "compressing (--no-compress does without)",
} as const;

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
  throw usageError(
    `--for ${JSON.stringify(name)} is no host that it knows: ${hostNames.join(", ")}`,
    hardenCommand,
    nearest(name, hostNames),
  );
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
