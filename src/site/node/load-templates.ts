import { hash } from "node:crypto";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { SourceMap } from "node:module";
import type { SourceMapPayload } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { ContractRoute } from "../../contract/index.ts";
import { isCurtainwallError } from "../../shared/index.ts";
import { siteError } from "../errors.ts";
import type { SourcePlace } from "../errors.ts";
import type { InlineCode } from "../checks/provenance.ts";
import { isIslandFile } from "../islands/names.ts";
import { templateParts } from "../source.ts";
import type { SourceFile, Template } from "../source.ts";
import { keepBundle, recallBundle } from "./template-cache.ts";
import type { TemplateBundle, TemplateFiles } from "./template-cache.ts";
import { toUrlPath } from "./url-path.ts";

/** The templates of a site, ready to render. */
export interface LoadedTemplates {
  readonly templates: ReadonlyMap<string, Template>;
  /** The inline scripts and styles that stand in their sources. */
  readonly inlineCode: InlineCode;
  /** Texts of their sources, by file, to say where something was written. */
  readonly templateSources: ReadonlyMap<string, string>;
  /** The islands' modules, for browsers. */
  readonly islands: readonly SourceFile[];
  readonly placeOf: (error: unknown) => SourcePlace | undefined;
  /** Names them and all that they can see; undefined when they read what is not known here, like a clock. */
  readonly recipe: string | undefined;
}

/** Options of {@link loadTemplates}. */
export interface LoadTemplatesOptions {
  /** The contract's folder. */
  root: string;
  folder: string;
  collections: Iterable<string>;
  routes: readonly ContractRoute[];
  /** Where the bundle is kept from one build to the next. */
  cacheFile: string;
  /** Names the code that builds. */
  stamp: string;
}

/**
 * Bundles a site's templates, reading every source for inline code on the way, and imports them.
 *
 * A template runs in this process with its rights: what is kept apart here is content from code. The stack puts this process into a jail.
 *
 * @throws {CurtainwallError} `SITE_FOLDER_MISSING`, `SITE_TEMPLATE_INVALID`, `SITE_TEMPLATE_UNSAFE`, `SITE_TEMPLATE_FAILED`,
 *   `SITE_ISLAND_INVALID`
 */
export async function loadTemplates(options: LoadTemplatesOptions): Promise<LoadedTemplates> {
  const { root, folder } = options;
  const files = await templateFiles(root, folder, options.collections);
  const { code, map, inlineCode, sources, isPure } = await bundleOf(files, options);
  const scratch = await mkdtemp(join(tmpdir(), "curtainwall-templates-"));
  const file = join(scratch, "templates.mjs");
  const placeOf = createPlaceOf(file, map);
  const fileOf = (name: string): string => toUrlPath(root, join(folder, name));
  try {
    await writeFile(file, code, { mode: 0o600 });
    const modules = await importBundle(file, placeOf);
    const templates = checkExports(files.names, modules.templates, (name) => fileOf(`${name}.tsx`));
    const islands = new Map(Object.entries(modules.islands).map(([name, module]) => [fileOf(name), module]));
    return {
      templates,
      inlineCode,
      templateSources: sources,
      islands: await islandsOf(islands, sources, options),
      placeOf,
      recipe: isPure ? hash("sha256", code) : undefined,
    };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function bundleOf(
  files: TemplateFiles,
  { root, folder, cacheFile, stamp }: LoadTemplatesOptions,
): Promise<TemplateBundle> {
  const cache = { file: cacheFile, root, names: [folder, ...files.names, "", ...files.islandFiles], stamp };
  const known = recallBundle(cache);
  if (known !== undefined) return known;
  const { bundleTemplates } = await import("./bundle-templates.ts");
  const bundle = await bundleTemplates(root, folder, files);
  keepBundle(cache, bundle);
  return bundle;
}

/** Islands are bundled in each build: what they import of the package, and the routes they name, may have changed. */
async function islandsOf(
  modules: ReadonlyMap<string, Readonly<Record<string, unknown>>>,
  sources: ReadonlyMap<string, string>,
  { root, routes }: LoadTemplatesOptions,
): Promise<SourceFile[]> {
  if (modules.size === 0) return [];
  const [{ buildIslands }, { whileBundling }] = await Promise.all([
    import("./build-islands.ts"),
    import("./bundle-templates.ts"),
  ]);
  return whileBundling(() => buildIslands({ root, modules, sources, routes }));
}

type Modules = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** The collections that have a template, and the islands. Other files of the folder are components that templates share. */
async function templateFiles(
  root: string,
  folder: string,
  collections: Iterable<string>,
): Promise<TemplateFiles> {
  const files = await readdir(folder, { recursive: true }).catch((cause: unknown) => {
    throw siteError("SITE_FOLDER_MISSING", `the folder ${toUrlPath(root, folder)} can't be read.`, {
      hint: "The contract's site.templates names it, relative to the contract: make it, or correct the name",
      cause,
    });
  });
  return {
    names: [...collections].filter((name) => files.includes(`${name}.tsx`)).sort(),
    islandFiles: files
      .filter(isIslandFile)
      .map((file) => toUrlPath(folder, join(folder, file)))
      .sort(),
  };
}

async function importBundle(
  file: string,
  placeOf: (error: unknown) => SourcePlace | undefined,
): Promise<{ templates: Modules; islands: Modules }> {
  try {
    return (await import(pathToFileURL(file).href)) as { templates: Modules; islands: Modules };
  } catch (cause) {
    const known = isCurtainwallError(cause) ? cause : undefined;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw siteError("SITE_TEMPLATE_FAILED", known?.message ?? `the templates can't be loaded: ${reason}`, {
      ...(known?.hint === undefined ? {} : { hint: known.hint }),
      place: placeOf(cause),
      cause,
    });
  }
}

function checkExports(
  names: readonly string[],
  modules: Modules,
  fileOf: (name: string) => string,
): Map<string, Template> {
  const templates = new Map<string, Template>();
  for (const name of names) {
    const page = modules[name]?.page;
    if (typeof page !== "function") {
      throw siteError("SITE_TEMPLATE_INVALID", "it exports no component named page.", {
        place: { file: fileOf(name) },
        hint: "Write  export function page({ entry }) { … }",
      });
    }
    const parts = templateParts.filter((part) => typeof modules[name]?.[part] === "function");
    templates.set(name, {
      file: fileOf(name),
      ...Object.fromEntries(parts.map((part) => [part, modules[name]?.[part]])),
    });
  }
  return templates;
}

/** Finds the line of a source that an error was thrown at, from its stack. */
function createPlaceOf(file: string, json: string): (error: unknown) => SourcePlace | undefined {
  const address = pathToFileURL(file).href;
  let map: SourceMap | undefined;
  return (error) => {
    const stack = error instanceof Error ? (error.stack ?? "") : "";
    for (const line of stack.split("\n")) {
      const start = line.indexOf(address);
      const position = start < 0 ? null : /^:(\d+):(\d+)/.exec(line.slice(start + address.length));
      if (position === null) continue;
      map ??= new SourceMap(JSON.parse(json) as SourceMapPayload);
      const entry = map.findEntry(Number(position[1]) - 1, Number(position[2]) - 1);
      if ("originalSource" in entry) return { file: entry.originalSource, line: entry.originalLine + 1 };
    }
    return undefined;
  };
}
