import { existsSync, mkdirSync, readFileSync, readdirSync, realpathSync, rmSync } from "node:fs";
import { join, relative, sep } from "node:path";
import type { Contract, ContractForeignSite, Variables } from "../../contract/index.ts";
import { allowedWords, parseLearned } from "../../harden/index.ts";
import type { LeakGate, LearnedSite, Review, SiteReport } from "../../harden/index.ts";
import { hardenFolder } from "../../harden/node.ts";
import { CurtainwallError } from "../../shared/index.ts";
import { createCompressor } from "../../shared/node.ts";
import type { StackErrorCode } from "../errors.ts";
import { makeStateFolder, stackFolders } from "../folders.ts";
import { inspectAll } from "../inspect/inspect-files.ts";
import type { FindKeysOptions } from "../releases/release-keys.ts";
import { reviewScripts } from "../hardening/review-scripts.ts";
import type { JailResult } from "../jail/jail-options.ts";
import { runJailed } from "../jail/run-jailed.ts";
import type { LoadedContract } from "../contract/load-contract.ts";
import { publishRelease } from "../releases/publish-release.ts";
import type { PublishedRelease } from "../releases/publish-release.ts";
import { lockName } from "../lock/lock-name.ts";
import { openSiteLock } from "../lock/site-lock.ts";
import { addressesOf } from "./addresses.ts";
import { writeSite } from "./write-site.ts";

/** Options of {@link buildForeign}. */
export interface ForeignBuildOptions {
  readonly loaded: Pick<LoadedContract, "contract" | "root">;
  /** Whether scripts must all be approved, also those of a first run. Default false. */
  readonly frozen?: boolean;
  /** Where the build's declared variables come from. */
  readonly variables: Variables;
  /** What everything must pass that is published. */
  readonly gate: LeakGate;
  /** Today, as the lock writes it. */
  readonly day: string;
  /** Where the user stands: commands that errors name are written for there. */
  readonly cwd: string;
  /** A line that the generator wrote, safe to show. */
  readonly onLine?: (line: string) => void;
  readonly onProgress?: (step: "hardening" | "inspecting" | "packing", done: number, total: number) => void;
  /** How the keys are found that sign it. Default: there is nobody to ask for what opens a vault. */
  readonly finding?: FindKeysOptions;
  /** Ends the generator. */
  readonly signal?: AbortSignal;
}

/** What {@link buildForeign} did. */
export interface ForeignBuild {
  readonly published: PublishedRelease;
  /** Undefined: the folder was taken as it lay there. */
  readonly jail: JailResult | undefined;
  /** Variables that the contract gives to the build and that are not set. */
  readonly unset: readonly string[];
  readonly report: SiteReport;
  /** The site's scripts beside the lock's. */
  readonly review: Review | undefined;
  /** How the generator's folder is written from where the user stands, and the options of further commands. */
  readonly folder: string;
  readonly words: string;
  readonly addresses: number;
}

/**
 * Tells whether a contract's site is built by another generator.
 *
 * @example
 * ```ts
 * import { isForeign, loadContract } from "curtainwall/stack";
 *
 * const { contract } = await loadContract(".");
 * if (isForeign(contract.site)) console.log(contract.site.dist);
 * ```
 */
export function isForeign(site: Contract["site"]): site is ContractForeignSite {
  return site !== undefined && "dist" in site;
}

/**
 * Runs another generator in a jail, hardens what it wrote, sends all of it through the leak gate, compares its scripts with the lock, and
 * publishes it. Whatever fails on the way, the release from before stays.
 *
 * @throws {CurtainwallError} `STACK_SITE_REFUSED`; what `runJailed` and `publishRelease` throw; one of `HardenErrorCode`, among them
 *   `HARDEN_SCRIPT_UNAPPROVED` and `HARDEN_LEAK_FOUND`
 */
export async function buildForeign(options: ForeignBuildOptions): Promise<ForeignBuild> {
  const { contract, root } = options.loaded;
  const { site } = contract;
  if (!isForeign(site)) throw refused("The contract's site is not built by another generator.");
  const folders = stackFolders(root);
  makeStateFolder(folders);
  const learned = readLearned(root, site.learned);
  const { jail, unset } = await generate(root, site, options);
  const dist = findOutput(root, site.dist);
  const work = openWork(folders.state);
  const folder = relative(options.cwd, join(root, site.dist)) || ".";
  const words = wordsOf(site, options);
  try {
    const blobs = join(work, "blobs");
    const open = openSiteLock({ file: join(root, lockName), folder: join(root, site.dist) });
    const hardened = await hardenFolder({
      folder: dist,
      blobs,
      origin: contract.origin,
      reportTo: contract.reports?.path,
      learned,
      insecureEval: site.insecureEval,
      allowScripts: site.allowScripts,
      onScript: open.onScript,
      onProgress: (done, total) => options.onProgress?.("hardening", done, total),
    });
    const { files, report, notFound } = hardened;
    if (report.pages === 0)
      throw refused(`${site.dist} holds no page.`, "Name the folder that the build writes");
    const addresses = addressesOf(files, contract);
    await inspectAll(options, files, blobs);
    const lock = { open, frozen: options.frozen ?? false, day: options.day, words };
    const review = reviewScripts({ folder, lock }, files, blobs);
    const compressor = createCompressor(folders.cache);
    const published = await publishRelease(
      { contract, root },
      (sink) =>
        writeSite(sink, {
          contract,
          addresses,
          blobs,
          notFound,
          compressor,
          onProgress: (done, total) => options.onProgress?.("packing", done, total),
        }),
      options.finding,
    );
    compressor.forgetRest();
    return { published, jail, unset, report, review, folder, words, addresses: addresses.length };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** @throws {CurtainwallError} `STACK_SITE_REFUSED` when there is no such file; `HARDEN_LEARNED_INVALID` */
function readLearned(root: string, name: string | undefined): LearnedSite | undefined {
  if (name === undefined) return undefined;
  const file = join(root, name);
  if (existsSync(file)) return parseLearned(readFileSync(file, "utf8"));
  throw refused(
    `There is no file ${name}, which  site.learned  names.`,
    `Make it:  npx curtainwall csp learn <folder> --out ${name}`,
  );
}

async function generate(
  root: string,
  { dist, build }: ContractForeignSite,
  { variables, onLine, signal }: ForeignBuildOptions,
): Promise<Pick<ForeignBuild, "jail" | "unset">> {
  if (build === undefined) return { jail: undefined, unset: [] };
  const { command, environment: names, insecureUnjailedBuild, insecurePrivateAddresses } = build;
  const jail = await runJailed({
    root,
    command,
    output: dist,
    reaches: build.reaches,
    environment: Object.fromEntries(
      names.flatMap((name) => (variables[name] === undefined ? [] : [[name, variables[name]]])),
    ),
    timeoutMs: build.timeoutMs,
    ...(insecureUnjailedBuild === undefined ? {} : { insecureUnjailedBuild }),
    ...(insecurePrivateAddresses === undefined ? {} : { insecurePrivateAddresses }),
    ...(onLine === undefined ? {} : { onLine }),
    ...(signal === undefined ? {} : { signal }),
  });
  return { jail, unset: names.filter((name) => variables[name] === undefined) };
}

/** Where the output really lies. A link may have taken the place of the folder: out of the project, or to all of it. */
function findOutput(root: string, dist: string): string {
  const project = realpathSync(root);
  let place;
  try {
    place = realpathSync(join(project, dist));
  } catch {
    throw refused(
      `There is no folder ${dist}.`,
      'Build it before, or let it be built:  site: { dist: "dist", build: "npm run build" }',
    );
  }
  if (place.startsWith(project + sep)) return place;
  throw refused(`${dist} is a link that leads out of the project.`, "Let the generator write a folder");
}

/** The options by which `plan` sees what this build saw. */
function wordsOf(
  site: ContractForeignSite,
  { cwd, loaded: { contract, root } }: ForeignBuildOptions,
): string {
  const lock = relative(cwd, join(root, lockName));
  const { learned, allowScripts } = site;
  const file = learned === undefined ? "" : ` --learned ${relative(cwd, join(root, learned))}`;
  return `${lock === lockName ? "" : ` --lock ${lock}`} --origin ${contract.origin}${file}${allowedWords(allowScripts)}`;
}

const workName = /^building-(\d+)$/;

/** A folder for the hardened bytes. Those of builds that were killed are removed. */
function openWork(state: string): string {
  for (const name of readdirSync(state)) {
    const pid = Number(workName.exec(name)?.[1] ?? 0);
    if (pid > 0 && !isAlive(pid)) rmSync(join(state, name), { recursive: true, force: true });
  }
  const work = join(state, `building-${process.pid}`);
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work);
  return work;
}

function isAlive(pid: number): boolean {
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function refused(message: string, hint?: string): CurtainwallError<StackErrorCode> {
  return new CurtainwallError("STACK_SITE_REFUSED", message, hint === undefined ? {} : { hint });
}
