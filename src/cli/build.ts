import { assertEnvironment } from "../contract/index.ts";
import {
  assertReleaseKeepsSecrets,
  assertStateUsable,
  buildOwnSite,
  createContractGate,
  isForeign,
  loadContract,
  publishRelease,
  stackFolders,
} from "../stack/index.ts";
import type { LoadedContract } from "../stack/index.ts";
import { runForeignBuild } from "./build-foreign.ts";
import type { BuildResult } from "./build-result.ts";
import { observeBuild } from "./observe-build.ts";
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
  }: {
    drafts: boolean;
    offline?: boolean;
    timeoutMs?: number | undefined;
    json: boolean;
    verbose: boolean;
  },
): Promise<BuildResult | undefined> {
  const observer = observeBuild(path);
  const loaded = await loadContract(path);
  if (isForeign(loaded.contract.site)) {
    await runForeignBuild(loaded, json, verbose);
    return undefined;
  }
  const result = await buildOwn(loaded, { drafts, offline, timeoutMs });
  if (!drafts) observer.keep(loaded, result);
  return result;
}

/** Builds the site in a folder, and puts the release in place of the one before, whole or not at all. */
export async function build(
  path: string,
  { drafts = false, offline = false }: { drafts?: boolean; offline?: boolean } = {},
): Promise<BuildResult> {
  return buildOwn(await loadContract(path), { drafts, offline });
}

async function buildOwn(
  loaded: LoadedContract,
  { drafts, offline, timeoutMs }: { drafts: boolean; offline: boolean; timeoutMs?: number | undefined },
): Promise<BuildResult> {
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
    await assertReleaseKeepsSecrets(site.release, gate);
    const published = await publishRelease({ contract, root }, site.release);
    return {
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
      withheld: site.withheld,
      isJailed: site.isJailed,
      milliseconds: Math.round(performance.now() - started),
    };
  } finally {
    line.done();
  }
}
