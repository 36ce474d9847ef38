import { buildSite } from "../site/index.ts";
import { assertStateUsable, loadContract, stackFolders, publishRelease } from "../stack/index.ts";
import type { Command } from "./command.ts";
import { print, printJson, say, showProgress, styled } from "./voice.ts";

/** What `curtainwall build` made. */
export interface BuildResult {
  file: string;
  pages: { path: string; policy: string }[];
  files: number;
  bytes: number;
  releaseBytes: number;
  milliseconds: number;
}

export const buildCommand: Command = {
  name: "build",
  usage: "[folder] [--json]",
  summary: "Build the site into a release that the edge serves",
  options: { json: { type: "boolean", says: "print the result as JSON" } },
  notes: [
    "The release is .curtainwall/edge/release.bin beside the contract. If the build fails, the one before stays.",
  ],
  async run({ positionals, flags }) {
    const result = await build(positionals[0] ?? ".");
    if (flags.has("json")) printJson(result);
    else report(result);
    return 0;
  },
};

/** Builds the site in a folder, and puts the release in place of the one before, whole or not at all. */
export async function build(path: string): Promise<BuildResult> {
  const started = performance.now();
  const { contract, root } = await loadContract(path);
  const folders = stackFolders(root);
  assertStateUsable(folders, "build");
  const line = showProgress();
  try {
    const site = await buildSite({
      root,
      contract,
      cacheFolder: folders.cache,
      onProgress: ({ step, done, total }) => line.update(`${step} ${done}/${total}`),
    });
    writeRelease(folders, site.release);
    return {
      file: folders.releaseFile,
      pages: site.pages.map((page) => ({ path: page.path, policy: page.policy })),
      files: site.files,
      bytes: site.bytes,
      releaseBytes: site.release.length,
      milliseconds: Math.round(performance.now() - started),
    };
  } finally {
    line.done();
  }
}

function report({ pages, files, bytes, releaseBytes, file, milliseconds }: BuildResult): void {
  for (const page of pages) print(page.path);
  say(
    `${styled("green", "built")} ${pages.length} pages, ${files} files, ${kilobytes(bytes)} (${kilobytes(releaseBytes)} with compressed copies) in ${milliseconds} ms`,
  );
  say(
    "A stack that runs goes on with the release that it started with: stop it and start it again to serve this one.",
  );
  say(styled("dim", `${file}\nEvery page has its own policy by exact hashes; see them with --json`));
}

const kilobytes = (bytes: number): string => `${Math.round(bytes / 1000).toLocaleString("en")} kB`;
