import { hash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { InlineCode } from "../checks/provenance.ts";

/** The files of a templates folder that are bundled. Others are components that they share. */
export interface TemplateFiles {
  /** The collections that have a template. */
  readonly names: readonly string[];
  /** Relative to the folder. */
  readonly islandFiles: readonly string[];
}

/** Bundled templates, and what is known of their sources. */
export interface TemplateBundle {
  readonly code: string;
  /** Its source map, as JSON. */
  readonly map: string;
  readonly inlineCode: InlineCode;
  /** Texts of the sources, by file relative to the contract. */
  readonly sources: ReadonlyMap<string, string>;
  /** What they render depends on nothing but what they are given. */
  readonly isPure: boolean;
}

/** Where a bundle is kept, and what it is a bundle of. */
export interface TemplateCacheOptions {
  readonly file: string;
  readonly root: string;
  readonly names: readonly string[];
  /** Names the code that bundles. */
  readonly stamp: string;
}

/** As it is written. */
interface KeptBundle {
  stamp: string;
  names: readonly string[];
  /** Names of what lies beside the sources: a new file may be what an import means from now on. */
  folders: (readonly [folder: string, names: string])[];
  sources: (readonly [file: string, text: string])[];
  script: string[];
  style: string[];
  isPure: boolean;
  code: string;
  map: string;
}

/** The bundle that was made of the very same sources, if it is whole. */
export function recallBundle({ file, root, names, stamp }: TemplateCacheOptions): TemplateBundle | undefined {
  try {
    const text = readFileSync(file, "utf8");
    const json = text.slice(64);
    if (hash("sha256", json) !== text.slice(0, 64)) return undefined;
    const kept = JSON.parse(json) as KeptBundle;
    const isSame =
      kept.stamp === stamp &&
      kept.names.join() === names.join() &&
      kept.folders.every(([folder, listing]) => listingOf(root, folder) === listing) &&
      kept.sources.every(([name, source]) => readFileSync(join(root, name), "utf8") === source);
    if (!isSame) return undefined;
    const inlineCode = { script: new Set(kept.script), style: new Set(kept.style) };
    return {
      code: kept.code,
      map: kept.map,
      inlineCode,
      sources: new Map(kept.sources),
      isPure: kept.isPure,
    };
  } catch {
    return undefined;
  }
}

/** Keeps a bundle for the next build. */
export function keepBundle(
  { file, root, names, stamp }: TemplateCacheOptions,
  { code, map, inlineCode, sources, isPure }: TemplateBundle,
): void {
  const folders = new Set([...sources.keys()].map((name) => dirname(name)));
  const kept: KeptBundle = {
    stamp,
    names,
    folders: [...folders].sort().map((folder) => [folder, listingOf(root, folder)] as const),
    sources: [...sources],
    script: [...inlineCode.script],
    style: [...inlineCode.style],
    isPure,
    code,
    map,
  };
  const json = JSON.stringify(kept);
  mkdirSync(dirname(file), { recursive: true });
  const fresh = `${file}.${crypto.randomUUID()}.part`;
  writeFileSync(fresh, hash("sha256", json) + json, { mode: 0o600 });
  renameSync(fresh, file);
}

const listingOf = (root: string, folder: string): string => readdirSync(join(root, folder)).sort().join("/");
