import { assertEnvironment } from "../contract/index.ts";
import type { LeakGate } from "../harden/index.ts";
import type { SiteWarning } from "../site/index.ts";
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
import { runForeignBuild } from "./build-foreign.ts";
import type { Command } from "./command.ts";
import { describeRelease, kilobytes } from "./describe-release.ts";
import { print, printJson, say, showProgress, styled } from "./voice.ts";

/** What `curtainwall build` made. */
export interface BuildResult {
  file: string;
  /** The release's name: SHA-256 of its manifest. */
  release: string;
  /** Its number; undefined where the release key is not. */
  sequence: number | undefined;
  /** False: the site is this very release already. */
  isNew: boolean;
  /** Signed with development keys. */
  isDevelopment: boolean;
  pages: { path: string; policy: string }[];
  /** Markup that was removed from content, and where it stood. */
  warnings: readonly SiteWarning[];
  files: number;
  bytes: number;
  releaseBytes: number;
  /** Values that were not looked for in the output, because they would be found everywhere. */
  notSearched: LeakGate["notSearched"];
  /** Variables that templates asked for and that are not declared as public: to them these are not set. */
  withheld: readonly string[];
  /** Whether templates ran in a jail. */
  isJailed: boolean;
  milliseconds: number;
}

export const buildCommand: Command = {
  name: "build",
  usage: "[folder] [--drafts] [--json]",
  summary: "Build the site into a release that the edge serves",
  options: {
    drafts: { type: "boolean", says: "build pages with draft: true, too, for a look at them" },
    json: { type: "boolean", says: "print the result as JSON" },
  },
  notes: [
    "The release goes into .curtainwall/edge/releases/ beside the contract, signed. If the build fails, the one before stays; if a",
    "stack runs, it serves the new one about a second later. What browsers may run must lie inside the program that the program key",
    "signed:  curtainwall key --help",
  ],
  async run({ positionals, flags }) {
    const loaded = await loadContract(positionals[0] ?? ".");
    if (isForeign(loaded.contract.site)) {
      await runForeignBuild(loaded, flags.has("json"));
      return 0;
    }
    const result = await build(positionals[0] ?? ".", { drafts: flags.has("drafts") });
    if (flags.has("json")) printJson(result);
    else report(result);
    return 0;
  },
};

/** Builds the site in a folder, and puts the release in place of the one before, whole or not at all. */
export async function build(
  path: string,
  { drafts = false }: { drafts?: boolean } = {},
): Promise<BuildResult> {
  const started = performance.now();
  const loaded = await loadContract(path);
  const { contract, root } = loaded;
  assertEnvironment(contract, process.env);
  const folders = stackFolders(root);
  assertStateUsable(folders, "build");
  const line = showProgress();
  try {
    const site = await buildOwnSite(loaded, {
      drafts,
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

function report({
  pages,
  warnings,
  files,
  bytes,
  releaseBytes,
  milliseconds,
  notSearched,
  withheld,
  isJailed,
  ...release
}: BuildResult): void {
  for (const page of pages) print(page.path);
  for (const { file: source, line, message } of warnings)
    say(`${styled("yellow", "removed")} ${source}${line === undefined ? "" : `:${line}`}: ${message}`);
  for (const name of withheld)
    say(
      `${styled("yellow", "withheld")} the variable ${name}, which a template asked for: declare it in publicEnv if visitors may see it`,
    );
  if (!isJailed)
    say(
      `${styled("yellow", "NOT JAILED")} templates ran with all that you may do: bubblewrap (bwrap) is not installed or does not work here`,
    );
  for (const { name, reason } of notSearched)
    say(`${styled("yellow", "not looked for")} ${name} in the output, since ${reason}`);
  say(
    `${styled("green", "built")} ${pages.length} pages, ${files} files, ${kilobytes(bytes)} (${kilobytes(releaseBytes)} with compressed copies) in ${milliseconds} ms`,
  );
  say(
    styled(
      "dim",
      `${describeRelease(release)}\nEvery page has its own policy by exact hashes; see them with --json`,
    ),
  );
}
