import { realpath } from "node:fs/promises";
import { isBuiltin } from "node:module";
import { basename, relative, sep } from "node:path";
import type { OnLoadResult, OnResolveArgs, OnResolveResult, Plugin, PluginBuild } from "esbuild";
import { CurtainwallError, privateKind } from "../../shared/index.ts";
import type { FunctionsErrorCode } from "../errors.ts";
import { knownPackages } from "./known-packages.ts";

/** Options of {@link guardImports}. */
export interface GuardImportsOptions {
  readonly root: string;
  readonly name: string;
  /** Is told what was refused, the first first. */
  readonly refusals: CurtainwallError<FunctionsErrorCode>[];
  /** What of this package may be imported, and where it lies. */
  readonly ours: ReadonlyMap<string, string>;
  /** Where this package lies. */
  readonly ownFolder: string;
}

type Refused = Pick<OnResolveResult & OnLoadResult, "errors">;

const asGiven = Symbol("resolve as given");

/**
 * Decides what gets into a function's bundle: the project's own files but for its private ones and its contract, its packages, and what Node
 * has built in, which stays outside.
 */
export function guardImports({ root, name, refusals, ours, ownFolder }: GuardImportsOptions): Plugin {
  const packages = knownPackages(root);
  const refuse = (importer: string, what: string, hint: string): Refused => {
    const from =
      importer === "" ? "an import of a path made of parts takes in" : `${nameOf(root, importer)} imports`;
    refusals.push(
      new CurtainwallError("FUNCTIONS_IMPORT_REFUSED", `functions/${name}: ${from} ${what}.`, { hint }),
    );
    return { errors: [{ text: "refused" }] };
  };

  async function resolve(bundler: PluginBuild, request: OnResolveArgs): Promise<OnResolveResult | undefined> {
    const { path, importer, kind, resolveDir, pluginData } = request;
    if (pluginData === asGiven || kind === "entry-point") return undefined;
    const mine = ours.get(path);
    if (mine !== undefined) return { path: mine };
    if (importer.startsWith(ownFolder)) return undefined;
    if (isBuiltin(path)) return { path: path.startsWith("node:") ? path : `node:${path}`, external: true };
    if (path.startsWith("cloudflare:"))
      return refuse(
        importer,
        path,
        "Functions run elsewhere too. What they need, the contract declares: secrets, reaches",
      );
    if (/^curtainwall(?:\/|$)/.test(path))
      return refuse(
        importer,
        path,
        'Of the package functions use "curtainwall/functions"; types of all else by  import type …',
      );
    const found = await bundler.resolve(path, { kind, resolveDir, importer, pluginData: asGiven });
    if (found.errors.length > 0) return found;
    if (found.external)
      return refuse(
        importer,
        `${JSON.stringify(path.slice(0, 100))}, which would be fetched when it runs`,
        "Functions are one file, which is signed: save it into the project, or install it as a package",
      );
    if (isName(path)) packages.found(found.path);
    return (await refuseFile(importer, found.path)) ?? found;
  }

  async function refuseFile(importer: string, path: string): Promise<Refused | undefined> {
    const real = await realpath(path).catch(() => path);
    const file = nameOf(root, real);
    const isPackaged = packages.has(real);
    if (file.startsWith("..") && !isPackaged)
      return refuse(
        importer,
        `${file}, which lies outside the project`,
        "Move it into the project, or install it as a package, and import that by its name",
      );
    if (isPackaged && real.includes(modules)) return undefined;
    if (/^curtainwall\.config\.[cm]?[jt]s$/.test(basename(file)) && !file.includes("/"))
      return refuse(
        importer,
        `the contract, ${file}`,
        `Import its type:  import type contract from "…/${basename(file)}";  what both use goes into a file of its own`,
      );
    if (privateKind(file) !== undefined)
      return refuse(
        importer,
        `${file}, which is private`,
        "A function has no secrets in it: declare the secret in the contract, and egress sends it along",
      );
    return undefined;
  }

  return {
    name: "curtainwall-function",
    setup(bundler) {
      bundler.onResolve({ filter: /./ }, (request) => resolve(bundler, request));
      bundler.onLoad({ filter: /\.node$/ }, () => ({
        errors: [{ text: 'No loader is configured for ".node" files' }],
      }));
      // What the bundler finds for an import of a path made of parts, `import("./" + name)`, it resolves without asking.
      bundler.onLoad({ filter: /./, namespace: "file" }, ({ path }) =>
        path.startsWith(ownFolder) ? undefined : refuseFile("", path),
      );
    },
  };
}

const modules = `${sep}node_modules${sep}`;

/** Of a package: no path, and nothing that the asking package's own manifest would turn into one. */
const isName = (path: string): boolean => !/^[./#]/.test(path);

const nameOf = (root: string, path: string): string => relative(root, path).split(sep).join("/");
