import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build, stop } from "esbuild";
import type { BuildFailure, OnResolveArgs, OnResolveResult, Plugin, PluginBuild } from "esbuild";
import { siteError } from "../errors.ts";
import { collectInlineCode, createInlineCode } from "../checks/provenance.ts";
import type { TemplateBundle, TemplateFiles } from "./template-cache.ts";
import { toUrlPath } from "./url-path.ts";

/**
 * Bundles the templates of these collections, reading every source for inline code on the way.
 *
 * @throws {CurtainwallError} `SITE_TEMPLATE_INVALID`, `SITE_TEMPLATE_UNSAFE`
 */
export async function bundleTemplates(
  root: string,
  folder: string,
  files: TemplateFiles,
): Promise<TemplateBundle> {
  const inlineCode = createInlineCode();
  const sources = new Map<string, string>();
  const packages = new Set<string>();
  let isPure = true;
  const onSource = (file: string, source: string): void => {
    sources.set(file, source);
    if (isCode(file)) isPure = collectInlineCode(file, source, inlineCode) && isPure;
  };
  const { code, map } = await whileBundling(() => bundle({ root, folder, files, packages, onSource }));
  // What a package does is not known here, nor when it changes.
  return { code, map, inlineCode, sources, isPure: isPure && packages.size === 0 };
}

/** Bundlings under way. */
let running = 0;

/** Does work with the bundler, and stops the bundler's process, which would stay for as long as this one, when nobody needs it. */
export async function whileBundling<Result>(work: () => Promise<Result>): Promise<Result> {
  running++;
  try {
    return await work();
  } finally {
    running--;
    if (running === 0) await stop();
  }
}

interface BundleInput {
  readonly root: string;
  readonly folder: string;
  readonly files: TemplateFiles;
  /** Is told the packages that are imported. */
  readonly packages: Set<string>;
  readonly onSource: (file: string, source: string) => void;
}

async function bundle({
  root,
  folder,
  files: { names, islandFiles },
  packages,
  onSource,
}: BundleInput): Promise<{ code: string; map: string }> {
  const failures: unknown[] = [];
  const imports = names.map(
    (name, index) => `import * as t${index} from ${JSON.stringify(`./${name}.tsx`)};`,
  );
  const members = names.map((name, index) => `${JSON.stringify(name)}: t${index}`);
  const islandImports = islandFiles.map(
    (file, index) => `import * as i${index} from ${JSON.stringify(`./${file}`)};`,
  );
  const islandMembers = islandFiles.map((file, index) => `${JSON.stringify(file)}: i${index}`);
  try {
    const { outputFiles } = await build({
      stdin: {
        contents: [
          ...imports,
          ...islandImports,
          `export const templates = { ${members.join(", ")} };`,
          `export const islands = { ${islandMembers.join(", ")} };`,
        ].join("\n"),
        resolveDir: folder,
        sourcefile: "templates",
      },
      absWorkingDir: root,
      outfile: join(root, "templates.mjs"),
      bundle: true,
      write: false,
      format: "esm",
      platform: "node",
      target: "node24",
      jsx: "automatic",
      jsxDev: true,
      jsxImportSource: "preact",
      // A tsconfig nearby must not change how templates are read.
      tsconfigRaw: "{}",
      sourcemap: "external",
      charset: "utf8",
      logLevel: "silent",
      plugins: [externalPackages(packages), scanSources(root, onSource, failures)],
    });
    const textOf = (ending: string): string =>
      outputFiles.find(({ path }) => path.endsWith(ending))?.text ?? "";
    return { code: textOf(".mjs"), map: textOf(".map") };
  } catch (cause) {
    const [ours] = failures;
    if (ours !== undefined) throw ours;
    const [error] = (cause as Partial<BuildFailure>).errors ?? [];
    if (error === undefined) throw cause;
    throw siteError("SITE_TEMPLATE_INVALID", error.text, {
      ...(error.location === null ? {} : { place: { file: error.location.file, line: error.location.line } }),
      cause,
    });
  }
}

/** Reads each source before it is bundled. What is not bundled (packages) is still checked when it renders. */
function scanSources(
  root: string,
  onSource: (file: string, source: string) => void,
  failures: unknown[],
): Plugin {
  return {
    name: "curtainwall-scan",
    setup(bundler) {
      bundler.onLoad({ filter: /./, namespace: "file" }, async ({ path }) => {
        const source = await readFile(path, "utf8");
        try {
          onSource(toUrlPath(root, path), source);
        } catch (failure) {
          failures.push(failure);
          return { errors: [{ text: "refused" }] };
        }
        return { contents: source, loader: isCode(path) ? loaderOf(path) : "default" };
      });
    },
  };
}

const isCode = (path: string): boolean => /\.[cm]?[jt]sx?$/.test(path);

function loaderOf(path: string): "ts" | "tsx" | "jsx" {
  if (path.endsWith(".tsx")) return "tsx";
  return /\.[cm]?ts$/.test(path) ? "ts" : "jsx";
}

const asGiven = Symbol("resolve as given");

/**
 * Leaves packages out of the bundle: they are imported from where they are. Ours and Preact come from this installation, so that
 * there is one of each.
 */
function externalPackages(packages: Set<string>): Plugin {
  const own = import.meta.url;
  const ending = own.slice(own.lastIndexOf("."));
  const ours: ReadonlyMap<string, URL> = new Map([
    ["curtainwall/template", new URL(`../template${ending}`, own)],
    ["curtainwall/island", new URL(`../islands/island${ending}`, own)],
    ["curtainwall/rich-text", new URL(`../islands/rich-text${ending}`, own)],
    ["curtainwall/client", new URL(`../../contract/client/client${ending}`, own)],
    ["curtainwall/server-only", new URL(`../../harden/server-only${ending}`, own)],
  ]);
  return {
    name: "curtainwall-packages",
    setup(bundler) {
      bundler.onResolve({ filter: /^[^./]/ }, async (request) => {
        if (request.pluginData === asGiven || request.kind === "entry-point") return undefined;
        if (request.path.startsWith("node:")) {
          packages.add(request.path);
          return { path: request.path, external: true };
        }
        const mine = ours.get(request.path);
        if (mine !== undefined) return { path: mine.href, external: true };
        if (/^preact(?:\/|$)/.test(request.path))
          return { path: import.meta.resolve(request.path), external: true };
        packages.add(request.path);
        return resolvePackage(bundler, request);
      });
    },
  };
}

async function resolvePackage(bundler: PluginBuild, request: OnResolveArgs): Promise<OnResolveResult> {
  const { path, errors } = await bundler.resolve(request.path, {
    kind: request.kind,
    resolveDir: request.resolveDir,
    importer: request.importer,
    pluginData: asGiven,
  });
  if (errors.length > 0) return { errors };
  return { path: /^[/\\]|^[A-Za-z]:/.test(path) ? pathToFileURL(path).href : path, external: true };
}
