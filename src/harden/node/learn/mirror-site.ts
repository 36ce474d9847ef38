import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { readPage } from "../../../html/index.ts";
import type { ResourceKind } from "../../../html/index.ts";
import { inspectStyle } from "../../inspect/inspect-style.ts";
import { findImports } from "../../inspect/script-imports.ts";
import { createAddresses, encodePath } from "../../site/site-view.ts";
import type { Addresses } from "../../site/site-view.ts";
import type { RunningSite, SiteAnswer } from "./running-site.ts";

/** Options of {@link mirrorSite}. */
export interface MirrorOptions {
  /** Where the files go. */
  readonly folder: string;
  /** The path to begin with, as a URL has it, beside `/` and what the sitemap names. */
  readonly start: string;
  readonly maxPages: number;
  /** When to stop, as `performance.now()` counts. */
  readonly deadline: number;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** What {@link mirrorSite} wrote. */
export interface Mirror {
  /** The address under which visitors know a page, by its file: `/about` for `/about.html`. Decoded. */
  readonly addresses: ReadonlyMap<string, string>;
  /** What could not be read. */
  readonly failed: readonly { readonly page: string; readonly reason: string }[];
}

/** Scripts and styles that pages use, beside the pages. */
const maxAssets = 5_000;
/** What a page's policy is made of. Pictures and data are asked for when the page runs. */
const read: ReadonlySet<ResourceKind> = new Set(["script", "style", "worker"]);

/**
 * Writes the pages of a running site into a folder, as a generator might have: each page that is linked from another or named in the sitemap,
 * and the scripts and styles that they use. Only the site itself is asked, and only by GET.
 */
export async function mirrorSite(site: RunningSite, options: MirrorOptions): Promise<Mirror> {
  const own = createAddresses(site.origin, "/", undefined);
  const addresses = new Map<string, string>();
  const failed: { page: string; reason: string }[] = [];
  const start = own.resolve(options.start);
  const pages = new Set([
    ...(start?.kind === "site" ? [start.path] : []),
    "/",
    ...(await sitemapOf(site, own)),
  ]);
  const assets = new Set<string>();
  const written = new Set<string>();

  const write = (file: string, bytes: Buffer): boolean => {
    // Of names that differ only in case, a folder of every system holds one.
    if (written.has(file.toLowerCase())) return false;
    const place = join(options.folder, file);
    try {
      mkdirSync(dirname(place), { recursive: true });
      writeFileSync(place, bytes, { flag: "wx" });
    } catch {
      return false;
    }
    written.add(file.toLowerCase());
    return true;
  };

  const readOne = async (path: string, take: (answer: SiteAnswer) => void): Promise<void> => {
    try {
      const answer = await site.get(encodePath(path));
      const moved = answer.location === undefined ? undefined : own.resolve(answer.location);
      if (moved?.kind === "site") pages.add(moved.path);
      if (answer.status === 200) take(answer);
    } catch (error) {
      failed.push({ page: path, reason: error instanceof Error ? error.message : String(error) });
    }
  };

  const takePage = (path: string, { type, bytes }: SiteAnswer): void => {
    const file = type === "text/html" ? pageFile(path) : undefined;
    if (file === undefined || !write(file, bytes)) return;
    addresses.set(file, path);
    const found = linksOf(path, bytes);
    for (const page of found.pages) pages.add(page);
    for (const asset of found.assets) assets.add(asset);
  };

  let done = 0;
  for (const path of pages) {
    if (addresses.size >= options.maxPages || performance.now() > options.deadline) break;
    await readOne(path, (answer) => takePage(path, answer));
    options.onProgress?.(++done, pages.size);
  }
  for (const path of assets) {
    if (written.size - addresses.size >= maxAssets || performance.now() > options.deadline) break;
    await readOne(path, ({ bytes }) => {
      if (isPlain(path) && write(path, bytes)) for (const next of importsOf(path, bytes)) assets.add(next);
    });
  }
  return { addresses, failed };
}

async function sitemapOf(site: RunningSite, own: Addresses): Promise<string[]> {
  const { status, bytes } = await site.get("/sitemap.xml");
  if (status !== 200) return [];
  const places = bytes.toString().match(/<loc>[^<]{1,2000}<\/loc>/g) ?? [];
  return places.flatMap((place) => {
    const url = URL.parse(place.slice(5, -6).trim().replaceAll("&amp;", "&"));
    // A site that runs here to be tried names its public address.
    const target = url === null ? undefined : own.resolve(url.pathname);
    return target?.kind === "site" ? [target.path] : [];
  });
}

function linksOf(path: string, bytes: Buffer): { pages: string[]; assets: string[] } {
  const facts = readPage(bytes);
  const { resolve } = createAddresses(undefined, path, facts.base);
  const targets = (wanted: (kind: ResourceKind) => boolean): string[] =>
    facts.resources
      .filter(({ kind }) => wanted(kind))
      .flatMap(({ address }) => {
        const target = resolve(address);
        return target?.kind === "site" ? [target.path] : [];
      });
  return {
    pages: targets((kind) => kind === "link" || kind === "frame"),
    assets: targets((kind) => read.has(kind)),
  };
}

/** What a script imports, or a stylesheet; what a bundler's loader computes shows only when the page runs. */
function importsOf(path: string, bytes: Buffer): string[] {
  const named = /\.css$/i.test(path)
    ? inspectStyle(bytes.toString())
        .loads.filter(({ kind }) => kind === "style")
        .map(({ address }) => address)
    : findImports(bytes.toString(), false).flatMap(({ specifier }) =>
        specifier !== undefined && /^\.{0,2}\//.test(specifier) ? [specifier] : [],
      );
  const { resolve } = createAddresses(undefined, path, undefined);
  return named.flatMap((address) => {
    const target = resolve(address);
    return target?.kind === "site" ? [target.path] : [];
  });
}

/** The file that a generator would have written for a page; undefined for a path that is no file's name. */
function pageFile(path: string): string | undefined {
  if (!isPlain(path)) return undefined;
  if (path.endsWith("/")) return `${path}index.html`;
  return /\.x?html?$/i.test(path) ? path : `${path}.html`;
}

const isPlain = (path: string): boolean =>
  /^\/(?:[^/\\\p{C}.][^/\\\p{C}]*(?:\/|$))*$/u.test(path) && path.length < 1_000;
