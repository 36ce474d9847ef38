import { admitForeign, admitOwn, tellOwn } from "./admit-script.ts";
import { tellWorkers } from "./allow-workers.ts";
import { noteMissing, noteUnnameable } from "./draft.ts";
import type { DocumentDraft, PageDraft } from "./draft.ts";
import { createImportMap } from "./import-map.ts";
import type { ScriptFacts } from "../inspect/inspect-script.ts";
import { encodePath, exactSource } from "../site/site-view.ts";
import type { SiteFileView } from "../site/site-view.ts";

/** The modules that the scripts of a document import, as far as they can be known. */
export interface ModuleGraph {
  /**
   * Follows what a script imports or loads.
   *
   * @param from the address that its imports are relative to
   * @param named the site's scripts that it names in its text
   * @param file the script's own file, if it is one
   */
  follow(script: ScriptFacts, from: URL, named: () => readonly SiteFileView[], file?: SiteFileView): void;
  /** Allows what was found, and writes the import map. */
  finish(): void;
}

/** More modules than these whose names a loader computes are not listed one by one in every page. */
const maxComputed = 64;

/** Creates the graph of a document's modules. */
export function createModuleGraph(draft: DocumentDraft): ModuleGraph {
  const { page } = draft;
  const importMap = createImportMap(draft);
  /** By the path and query under which they are imported. */
  const modules = new Map<string, SiteFileView>();
  let computes = false;
  const namers: (() => readonly SiteFileView[])[] = [];
  const linked = new Set<SiteFileView>();
  const loaders = new Set<SiteFileView | undefined>();

  const add = (file: SiteFileView, url: URL): void => {
    const key = url.pathname + url.search;
    if (modules.has(key)) return;
    modules.set(key, file);
    page.modules.set(file.path, file);
    page.behaviours.add(file.script());
    follow(file.script(), url, () => file.scriptsNamed(), file);
  };

  const follow: ModuleGraph["follow"] = (script, from, named, file) => {
    namers.push(named);
    if (file !== undefined) linked.add(file);
    if (script.loadsScripts) loaders.add(file);
    tellWorkers(draft, script, from);
    for (const { specifier, dynamic } of script.imports) {
      if (specifier === undefined) computes = true;
      else addImport(specifier, from, dynamic);
    }
  };

  const addImport = (specifier: string, from: URL, dynamic: boolean): void => {
    const url = importMap.resolve(specifier, from);
    const target = url === undefined ? undefined : draft.addresses.resolve(url.href);
    if (target?.kind === "foreign") admitForeign(page, target.url, importMap.integrityOf(target.url));
    if (target?.kind !== "site") return;
    const file = page.view.find(target.path);
    if (file !== undefined) add(file, target.url);
    else if (!dynamic) noteMissing(page, "script", target.path);
  };

  return {
    follow,
    finish() {
      // What one script computes may be named in another: routers keep their tables in the page.
      const named =
        computes || loaders.size > 0 ? new Set(namers.flatMap((name) => name())) : new Set<never>();
      const others = [...named].filter((file) => !linked.has(file));
      if (computes && others.length > maxComputed) allowOwnScripts(draft, others);
      else if (computes)
        for (const file of others) add(file, new URL(encodePath(file.path), draft.addresses.page));
      if (loaders.size > 0) allowNamed(draft, others, [...loaders]);
      if (modules.size > 0 && !draft.hasHead && !importMap.exists) {
        for (const file of modules.values()) tellOwn(page, file);
        allowOwnScripts(draft, [...modules.values()]);
        return;
      }
      importMap.write(
        new Map([...modules].map(([key, file]) => [key, `sha256-${admitOwn(page, file.path, file)}`])),
      );
    },
  };
}

/**
 * Allows what a loader may put into the page as script elements. No hash covers these, since it gives them no `integrity`. Left are,
 * if the site's origin is known, the exact addresses of the scripts that the page's scripts name, and the folder of a bundler's loader,
 * which learns more names as a visitor goes on; else the origin.
 */
function allowNamed(
  draft: DocumentDraft,
  files: readonly SiteFileView[],
  loaders: readonly (SiteFileView | undefined)[],
): void {
  const { page } = draft;
  const bundlers = loaders.filter((file) => file !== undefined && file.isBundlerLoader());
  if (files.length === 0 && bundlers.length === 0) return;
  page.weaknesses.add("runtime-scripts");
  for (const file of files) {
    tellOwn(page, file);
    page.behaviours.add(file.script());
    tellWorkers(draft, file.script(), new URL(encodePath(file.path), draft.addresses.page));
  }
  const { origin } = page.view;
  const loading = bundlers.flatMap((file) => file ?? []);
  if (origin === undefined || files.length > maxComputed) {
    allowOwnScripts(draft, [...loading, ...files]);
    return;
  }
  for (const folder of loading.map(folderOf)) page.opened.add(folder);
  for (const path of [...loading.map(folderOf), ...files.map((file) => file.path)])
    allowPath(page, path, origin);
}

/** Allows the folders in which these scripts lie; if the origin is not known, all of it. */
function allowOwnScripts({ page }: DocumentDraft, files: readonly SiteFileView[]): void {
  const { origin } = page.view;
  page.weaknesses.add("runtime-scripts");
  if (origin === undefined) {
    page.opened.add("/");
    page.policy.allow("script-src", "'self'");
    return;
  }
  for (const folder of new Set(files.map(folderOf))) {
    page.opened.add(folder);
    allowPath(page, folder, origin);
  }
}

function allowPath(page: PageDraft, path: string, origin: string): void {
  const source = exactSource(new URL(encodePath(path), origin));
  if (source === undefined) noteUnnameable(page);
  else page.policy.allow("script-src", source);
}

/** A source that ends in a slash stands for all that lies below it (CSP 3 §6.7.2.12). */
const folderOf = ({ path }: SiteFileView): string => path.replace(/[^/]*$/, "");
