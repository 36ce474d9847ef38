import { existsSync, readFileSync, realpathSync } from "node:fs";
import { registerHooks } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

/** What a bundle was made of. `tools/bundle.ts` writes it beside the bundle. */
export interface BundleRecord {
  /** Every package that has code in it, after the one that asks for it. The first is this one, whose `parent` is no place of the list. */
  readonly packages: readonly BundledPackage[];
  /** Modules that a site's own code imports too: where they lie in a package, and the same code in the bundle. */
  readonly copies: readonly { readonly package: number; readonly file: string; readonly bundle: string }[];
}

/** A package at the moment when the bundle was made. */
export interface BundledPackage {
  readonly name: string;
  readonly version: string;
  /** The place in the list of the package that imports it. */
  readonly parent: number;
}

/**
 * Says whether the bundle may run: whether the packages that it was made of are those that are installed, by version. Where somebody has put another in the
 * place of one, as `overrides` do after an advisory, the modules run as they lie there. `CURTAINWALL_PLAIN=1` asks for that too.
 *
 * What a site's own code imports of the bundle's modules is given from the bundle, so that there is one of each.
 */
export function runsAsBuilt({ packages, copies }: BundleRecord, bundleUrl: string): boolean {
  if (process.env["CURTAINWALL_PLAIN"] === "1") return false;
  const folders = installed(packages, ownFolder(bundleUrl));
  if (folders === undefined) return false;
  giveInstead(copies, folders, bundleUrl);
  return true;
}

/**
 * The same for a program whose beginning has no package in it, and runs bundled in any case: asked when the first of the rest is loaded. If that
 * must be plain, `begun` are the copies that the beginning has loaded already.
 */
export function asBuiltLater(
  record: BundleRecord,
  begun: BundleRecord["copies"],
  bundleUrl: string,
): () => boolean {
  let answer: boolean | undefined;
  return () => {
    if (answer !== undefined) return answer;
    answer = runsAsBuilt(record, bundleUrl);
    if (!answer) giveInstead(begun, [ownFolder(bundleUrl)], bundleUrl);
    return answer;
  };
}

const ownFolder = (bundleUrl: string): string => fileURLToPath(new URL("../../", bundleUrl));

/** Whoever imports a module gets the bundle's copy of it. */
function giveInstead(copies: BundleRecord["copies"], folders: readonly string[], bundleUrl: string): void {
  if (copies.length === 0) return;
  const instead = new Map(
    copies.map(({ package: index, file, bundle }) => [
      pathToFileURL(join(folders[index] ?? "", file)).href,
      new URL(bundle, bundleUrl).href,
    ]),
  );
  registerHooks({
    resolve(specifier, context, next) {
      const resolved = next(specifier, context);
      // `require` has modules of its own, which are not these.
      if (resolved.format === "commonjs" || !context.conditions.includes("import")) return resolved;
      const url = instead.get(resolved.url);
      return url === undefined ? resolved : { ...resolved, url };
    },
  });
}

/** The packages' folders, in the order of the list; undefined if one is missing or has another version. */
function installed(packages: readonly BundledPackage[], own: string): string[] | undefined {
  const folders: string[] = [];
  for (const { name, version, parent } of packages) {
    const folder = parent in folders ? find(name, folders[parent] ?? "") : own;
    if (folder === undefined || versionIn(folder) !== version) return undefined;
    folders.push(folder);
  }
  return folders;
}

/** Where Node finds a package from a folder. */
function find(name: string, from: string): string | undefined {
  for (let at = from; ; at = dirname(at)) {
    const folder = join(at, "node_modules", name);
    // What it imports in turn lies beside the folder itself, not beside a link to it.
    if (existsSync(folder)) return realpathSync.native(folder);
    if (at === dirname(at)) return undefined;
  }
}

/** The first word of a package about its version. It is not read as JSON, which would take longer than all else. */
function versionIn(folder: string): string | undefined {
  const file = join(folder, "package.json");
  return existsSync(file) ? /"version"\s*:\s*"([^"]*)"/.exec(readFileSync(file, "utf8"))?.[1] : undefined;
}
