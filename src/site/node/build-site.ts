import { hash } from "node:crypto";
import { realpath } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join, resolve } from "node:path";
import { encodeRelease, inertPolicy, withReporting } from "../../contract/index.ts";
import type { Contract, ReleaseInput } from "../../contract/index.ts";
import { createCompressor } from "../../shared/node.ts";
import type { Compressor } from "../../shared/node.ts";
import { buildPages, toReleaseInput } from "../build-pages.ts";
import type { SitePage } from "../build-pages.ts";
import { siteError } from "../errors.ts";
import type { Untranslated } from "../content/find-untranslated.ts";
import { pictureFiles } from "../images/source-pictures.ts";
import { mediaTypeOf } from "../media-types.ts";
import type { SourceAnswer } from "../content/source-entries.ts";
import type { SiteFile, SiteWarning } from "../source.ts";
import { openMemory } from "./build-memory.ts";
import { codeStamp } from "./code-stamp.ts";
import { writeNotes } from "./page-notes.ts";
import { openVariantMaker } from "./images/make-variants.ts";
import { loadTemplates } from "./load-templates.ts";
import { readFolder } from "./read-folder.ts";
import { readSources } from "./sources/read-sources.ts";

/** Progress of a build: `done` of `total` files of a step. Each step reports its start and its end. */
export interface BuildProgress {
  readonly step: "read" | "templates" | "pages" | "pictures" | "compress";
  readonly done: number;
  readonly total: number;
}

/** Options of {@link buildSite}. */
export interface BuildSiteOptions {
  /** The folder of the contract; the site's folders are relative to it. */
  root: string;
  contract: Contract;
  /** Where compressed files are kept from one build to the next. Default `.curtainwall/cache/compressed` below `root`. */
  cacheFolder?: string;
  /** Builds pages whose front matter says `draft: true`, for a look at them: never for visitors. Default false. */
  drafts?: boolean;
  /** What the contract's sources answered. Default: they are asked, see {@link readSources}. */
  answers?: readonly SourceAnswer[];
  /** Asks no source, and takes what the last build was answered. Default false. */
  offline?: boolean;
  /** Told how far the build is. */
  onProgress?: (progress: BuildProgress) => void;
}

/** A built site, packed. */
export interface SiteBuild {
  /** The release: what the edge serves. */
  readonly release: Uint8Array;
  readonly pages: readonly SitePage[];
  /** Files in the release, pages included. */
  readonly files: number;
  /** Their bytes before compression. */
  readonly bytes: number;
  /** What was done otherwise than an author may think: markup that content can't have was removed. */
  readonly warnings: readonly SiteWarning[];
  /** What is missing in the site's other languages. */
  readonly untranslated: readonly Untranslated[];
  /** The name of what was noted for {@link rebuildPage}; undefined for a site of which no page can be made by itself. */
  readonly notes?: string | undefined;
}

/**
 * Builds the site that a contract describes and packs it into a release. The same sources give the same release, byte for byte.
 *
 * @throws {CurtainwallError} one of the `SITE_…` codes, with the file and, where there is one, the line.
 */
export async function buildSite({
  root,
  contract,
  cacheFolder = join(root, ".curtainwall", "cache", "compressed"),
  drafts = false,
  answers,
  offline = false,
  onProgress = () => {},
}: BuildSiteOptions): Promise<SiteBuild> {
  const { site } = contract;
  if (site === undefined || "dist" in site) {
    throw siteError("SITE_NOT_DECLARED", "The contract describes no site of Markdown and templates.", {
      hint: 'Add  site: { content: "content", templates: "templates", assets: "public", collections },   or  site: { dist: "dist" }  for what another generator writes',
    });
  }
  if (drafts && contract.keys !== undefined) {
    throw siteError("SITE_DRAFTS_REFUSED", "Drafts don't go into a release that is signed for visitors.", {
      hint: "The contract names keys. Look at drafts with a contract that has none, or remove  draft: true",
    });
  }
  // Bundlers name files by their real path; without this, messages would lead around symbolic links.
  const base = await realpath(root).catch(() => resolve(root));
  onProgress({ step: "read", done: 0, total: 1 });
  const content = await readFolder(resolve(base, site.content), {
    root: base,
    option: "site.content",
    dotFiles: "skip",
  });
  const assets =
    site.assets === undefined
      ? []
      : await readFolder(resolve(base, site.assets), { root: base, option: "site.assets" });
  onProgress({ step: "read", done: 1, total: 1 });

  const answered = answers ?? (await readSources({ root: base, contract, offline }));

  onProgress({ step: "templates", done: 0, total: 1 });
  const stamp = codeStamp();
  const loaded = await loadTemplates({
    root: base,
    folder: resolve(base, site.templates),
    collections: site.collections.keys(),
    routes: contract.routes,
    cacheFile: join(cacheFolder, "templates.json"),
    stamp,
  });
  onProgress({ step: "templates", done: 1, total: 1 });

  const memory = openMemory(join(cacheFolder, "pages.memory"), stamp);
  const variantMaker = await openVariantMaker(site, [...assets, ...pictureFiles(answered)], cacheFolder);
  const built = await buildPages(
    { origin: contract.origin, routes: contract.routes, apiRoots: contract.apiRoots, site },
    {
      ...loaded,
      content,
      answers: answered,
      drafts,
      memory,
      assets: [...assets, ...loaded.islands],
      imageEncoder: variantMaker.stamp,
    },
    (done, total) => onProgress({ step: "pages", done, total }),
  );
  const { pages, redirects, notFound, variants, untranslated } = built;
  const total = variants.length;
  const pictures = await variantMaker.make(variants, (done) => onProgress({ step: "pictures", done, total }));
  const files = [...built.files, ...pictures];

  memory.save();
  const notes = writeNotes(join(cacheFolder, "pages.notes"), {
    contract,
    drafts,
    stamp,
    recipe: loaded.recipe,
    hasIslands: loaded.islands.length > 0,
    templates: resolve(base, site.templates),
    assets: site.assets,
    images: site.images,
    imageEncoder: variantMaker.stamp,
    built: { ...built, files },
  });

  const { reports } = contract;
  const input = (file: SiteFile, encoded: Encodings = {}): ReleaseInput => {
    const plain = toReleaseInput(file, encoded);
    // What is no page runs and loads nothing: there is nothing to report.
    if (reports === undefined || file.policy === inertPolicy) return plain;
    return { ...plain, headers: withReporting(plain.headers, reports.path) };
  };
  const compressor = createCompressor(cacheFolder);
  const { encoders } = compressor;
  const extras = { redirects, encoders, ...(notFound === undefined ? {} : { notFound }) };
  const encodings = await compressTexts(files, compressor, onProgress);
  const release = await encodeRelease(
    files.map((file) => input(file, encodings.get(file))),
    extras,
    (bytes) => hash("sha256", bytes, "buffer"),
  );
  return {
    release,
    pages,
    warnings: [...variantMaker.warnings, ...built.warnings],
    untranslated,
    files: files.length,
    bytes: files.reduce((sum, file) => sum + file.bytes.length, 0),
    notes,
  };
}

type Encodings = ReleaseInput["bytes"];

async function compressTexts(
  files: readonly SiteFile[],
  compressor: Compressor,
  onProgress: (progress: BuildProgress) => void,
): Promise<Map<SiteFile, Encodings>> {
  const texts = files.filter(({ path }) => mediaTypeOf(path)?.text ?? path.endsWith("/"));
  const encodings = new Map<SiteFile, Encodings>();
  const waiting = texts.values();
  const work = async (): Promise<void> => {
    for (const file of waiting) {
      encodings.set(file, await compressor.compress(file.bytes, hash("sha256", file.bytes)));
      onProgress({ step: "compress", done: encodings.size, total: texts.length });
    }
  };
  // Compression itself runs on the thread pool: one job a core keeps them all busy.
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  compressor.forgetRest();
  return encodings;
}
