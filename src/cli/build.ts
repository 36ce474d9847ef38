import { statSync } from "node:fs";
import { relative, resolve, sep } from "node:path";
import { assertEnvironment } from "../contract/index.ts";
import {
  assertPermitted,
  assertReleaseKeepsSecrets,
  describeHit,
  assertStateUsable,
  buildOwnSite,
  createContractGate,
  findSiteKeys,
  hasContract,
  isForeign,
  loadContract,
  openVerdicts,
  pagePolicyOf,
  publishRelease,
  stackFolders,
} from "../stack/index.ts";
import type { LoadedContract, PageBuilderStart } from "../stack/index.ts";
import type { PageAgain } from "./build-record.ts";
import { runForeignBuild } from "./build-foreign.ts";
import type { BuildResult } from "./build-result.ts";
import { observeBuild } from "./observe-build.ts";
import { recordPermissions } from "./permission-report.ts";
import { say, showProgress, styled } from "./voice.ts";

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
  }: {
    drafts: boolean;
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
  const buildEither = async (): Promise<Awaited<ReturnType<typeof buildOwn>> | undefined> => {
    if (!isForeign(loaded.contract.site)) return buildOwn(loaded, { drafts, offline, timeoutMs });
    await runForeignBuild(loaded, { asJson: json, isVerbose: verbose, frozen });
    return undefined;
  };
  const { firstRun } = assertPermitted(loaded, { frozen, not: "published" });
  const record = firstRun ? recordPermissions(loaded) : undefined;
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
  return (await buildOwn(loaded, { drafts, offline })).result;
}

async function buildOwn(
  loaded: LoadedContract,
  { drafts, offline, timeoutMs }: { drafts: boolean; offline: boolean; timeoutMs?: number | undefined },
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
    const gate = createContractGate({ contract, root, variables: process.env });
    const notes = await assertReleaseKeepsSecrets(
      site.release,
      gate,
      openVerdicts({ contract, root, variables: process.env }),
    );
    const published = await publishRelease({ contract, root }, site.release);
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
    return { result, again: await againOf(loaded, site.again) };
  } finally {
    line.done();
  }
}

/** What the next build needs to make one page by itself. */
async function againOf(
  { contract, root }: LoadedContract,
  start: PageBuilderStart | undefined,
): Promise<PageAgain | undefined> {
  const { site } = contract;
  if (start === undefined || site === undefined || "dist" in site) return undefined;
  const { program, release } = (await findSiteKeys(contract, stackFolders(root))).pinned;
  return {
    content: relative(root, resolve(root, site.content)).split(sep).join("/"),
    start,
    policy: pagePolicyOf(contract, { program: program.text, release: release.text }),
  };
}
