import { statSync } from "node:fs";
import { relative, resolve, sep } from "node:path";
import { assertEnvironment } from "../../contract/index.ts";
import {
  assertPermitted,
  assertReleaseKeepsSecrets,
  describeHit,
  describeSpare,
  assertStateUsable,
  buildFunctions,
  buildOwnSite,
  createContractGate,
  findSiteKeys,
  hasContract,
  isForeign,
  loadContract,
  openVerdicts,
  outputFingerprints,
  pagePolicyOf,
  publishRelease,
  stackFolders,
} from "../../stack/index.ts";
import type {
  BuiltFunction,
  ContractGateOptions,
  FindKeysOptions,
  LoadedContract,
  PageBuilderStart,
} from "../../stack/index.ts";
import type { PageAgain } from "./build-record.ts";
import { runForeignBuild } from "./build-foreign.ts";
import type { BuildResult } from "./build-result.ts";
import { describeUncalled } from "../contract/contract-notes.ts";
import { kilobytes } from "../release/describe-release.ts";
import { observeBuild } from "./observe-build.ts";
import { recordPermissions } from "../plan/permission-report.ts";
import { askVaultPassphrase } from "../secret/passphrase.ts";
import { say, showProgress, styled } from "../voice.ts";

/** Builds whatever site the contract in a folder describes. What another generator builds is told at once, and gives nothing here. */
export async function buildAny(
  path: string,
  {
    drafts,
    offline = false,
    timeoutMs,
    json,
    verbose,
    frozen = false,
    isAgain = false,
    finding = { askPassphrase: askVaultPassphrase },
  }: {
    drafts: boolean;
    /** It was built before, by this very process: what was said of its contract is not said again. */
    isAgain?: boolean;
    /** How the keys are found that sign it. */
    finding?: FindKeysOptions;
    frozen?: boolean;
    offline?: boolean;
    timeoutMs?: number | undefined;
    json: boolean;
    verbose: boolean;
  },
): Promise<BuildResult | undefined> {
  // Who observes makes the state folder: not in a folder that is none of ours, where this throws.
  if (!hasContract(path) && statSync(path, { throwIfNoEntry: false })?.isFile() !== true)
    await loadContract(path);
  const observer = observeBuild(path);
  const loaded = await loadContract(path);
  const review = assertPermitted(loaded, { frozen, not: "published" });
  const fingerprints = await outputFingerprints(loaded);
  await buildItsFunctions(loaded, fingerprints);
  if (!isAgain)
    for (const text of [...describeUncalled(loaded.contract), describeSpare(review, loaded.root)])
      if (text !== undefined) say(`${styled("yellow", "look at")} ${text}`);
  const buildEither = async (): Promise<Awaited<ReturnType<typeof buildOwn>> | undefined> => {
    if (!isForeign(loaded.contract.site))
      return buildOwn(loaded, { drafts, offline, timeoutMs, finding, fingerprints });
    await runForeignBuild(loaded, { asJson: json, isVerbose: verbose, frozen, finding, fingerprints });
    return undefined;
  };
  const record = review.firstRun ? recordPermissions(loaded) : undefined;
  if (record !== undefined) observer.wrote(record.file);
  const own = await buildEither().catch((error: unknown) => {
    record?.undo();
    throw error;
  });
  record?.tell();
  if (own === undefined) return undefined;
  const { result, again } = own;
  if (!drafts) observer.keep(loaded, result, again);
  return result;
}

/** Builds the site in a folder, and puts the release in place of the one before, whole or not at all. */
export async function build(
  path: string,
  { drafts = false, offline = false }: { drafts?: boolean; offline?: boolean } = {},
): Promise<BuildResult> {
  const loaded = await loadContract(path);
  assertPermitted(loaded, { not: "published" });
  const fingerprints = await outputFingerprints(loaded);
  await buildItsFunctions(loaded, fingerprints);
  return (
    await buildOwn(loaded, { drafts, offline, fingerprints, finding: { askPassphrase: askVaultPassphrase } })
  ).result;
}

/** Asked for once a build: the vault is started for it. */
type Fingerprints = ContractGateOptions["fingerprints"];

/** Before the site: what fails here fails sooner, and nothing is published. */
async function buildItsFunctions(loaded: LoadedContract, fingerprints: Fingerprints): Promise<void> {
  const { contract, root } = loaded;
  if (contract.functions.size > 0) assertStateUsable(stackFolders(root), "build");
  const line = showProgress();
  try {
    const gate = createContractGate({ contract, root, variables: process.env, fingerprints });
    const built = await buildFunctions(loaded, {
      gate,
      onProgress: (step, done, total) => line.update(`${step} functions ${done}/${total}`),
    });
    line.done();
    for (const one of built) tellFunction(one);
  } finally {
    line.done();
  }
}

function tellFunction({ name, bytes, sha256, isNew, duplicates }: BuiltFunction): void {
  if (isNew) say(styled("dim", `function ${name}: ${kilobytes(bytes)}, ${sha256.slice(0, 12)}`));
  for (const [package_, folders] of duplicates)
    say(
      `${styled("yellow", "twice")} the function ${name} holds ${package_} ${folders.length} times: ${folders.join(", ")}`,
    );
}

interface BuildOwnOptions {
  readonly drafts: boolean;
  readonly offline: boolean;
  readonly timeoutMs?: number | undefined;
  readonly finding: FindKeysOptions;
  readonly fingerprints: Fingerprints;
}

async function buildOwn(
  loaded: LoadedContract,
  { drafts, offline, timeoutMs, finding, fingerprints }: BuildOwnOptions,
): Promise<{ result: BuildResult; again: PageAgain | undefined }> {
  const started = performance.now();
  const { contract, root } = loaded;
  assertEnvironment(contract, process.env);
  const folders = stackFolders(root);
  assertStateUsable(folders, "build");
  const line = showProgress();
  try {
    const site = await buildOwnSite(loaded, {
      drafts,
      offline,
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
      onProgress: ({ step, done, total }) => line.update(`${step} ${done}/${total}`),
      onLine: (text) => say(styled("dim", text)),
    });
    const looksFor = { contract, root, variables: process.env, fingerprints };
    const gate = createContractGate(looksFor);
    const notes = await assertReleaseKeepsSecrets(site.release, gate, openVerdicts(looksFor));
    const published = await publishRelease({ contract, root }, site.release, finding);
    const result: BuildResult = {
      file: published.packFile,
      release: published.digest,
      sequence: published.sequence,
      isNew: published.isNew,
      isDevelopment: published.isDevelopment,
      pages: site.pages.map((page) => ({ path: page.path, policy: page.policy })),
      warnings: site.warnings,
      untranslated: site.untranslated,
      files: site.files,
      bytes: site.bytes,
      releaseBytes: published.bytes,
      notSearched: gate.notSearched,
      notes: notes.map((note) => ({ file: note.path, text: describeHit(note) })),
      withheld: site.withheld,
      isJailed: site.isJailed,
      milliseconds: Math.round(performance.now() - started),
    };
    return { result, again: await againOf(loaded, site.again, fingerprints) };
  } finally {
    line.done();
  }
}

/** What the next build needs to make one page by itself. */
async function againOf(
  { contract, root }: LoadedContract,
  start: PageBuilderStart | undefined,
  fingerprints: Fingerprints,
): Promise<PageAgain | undefined> {
  const { site } = contract;
  if (start === undefined || site === undefined || "dist" in site) return undefined;
  const { program, release } = (await findSiteKeys(contract, stackFolders(root))).pinned;
  const policy = pagePolicyOf(contract, { program: program.text, release: release.text }, fingerprints);
  if (policy === undefined) return undefined;
  return {
    content: relative(root, resolve(root, site.content)).split(sep).join("/"),
    start,
    policy,
  };
}
