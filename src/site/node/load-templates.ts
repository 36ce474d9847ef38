import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { SourceMap } from "node:module";
import type { SourceMapPayload } from "node:module";
import { tmpdir } from "node:os";
import { join, relative, sep } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build, stop } from "esbuild";
import type { BuildFailure, OnResolveArgs, OnResolveResult, Plugin, PluginBuild } from "esbuild";
import type { Template } from "../source.ts";
import { siteError } from "../errors.ts";
import type { SourcePlace } from "../errors.ts";
import { collectInlineCode, createInlineCode } from "../provenance.ts";
import type { InlineCode } from "../provenance.ts";
import { isCurtainwallError } from "../../shared/index.ts";

/** The templates of a site, ready to render. */
export interface LoadedTemplates {
  readonly templates: ReadonlyMap<string, Template>;
  /** The inline scripts and styles that stand in their sources. */
  readonly inlineCode: InlineCode;
  /** Texts of their sources, by file, to say where something was written. */
  readonly templateSources: ReadonlyMap<string, string>;
  readonly placeOf: (error: unknown) => SourcePlace | undefined;
}

/**
 * Bundles a site's templates, reading every source for inline code on the way, and imports them.
 *
 * A template runs in this process with its rights, like any build script (a jail is a later issue): what is kept apart here is
 * content from code.
 *
 * @throws {CurtainwallError} `SITE_FOLDER_MISSING`, `SITE_TEMPLATE_INVALID`, `SITE_TEMPLATE_UNSAFE`, `SITE_TEMPLATE_FAILED`
 */
export async function loadTemplates(
  root: string,
  folder: string,
  collections: Iterable<string>,
): Promise<LoadedTemplates> {
  const names = await templateNames(root, folder, collections);
  const inlineCode = createInlineCode();
  const templateSources = new Map<string, string>();
  const { code, map } = await bundle(root, folder, names, (file, source) => {
    templateSources.set(file, source);
    collectInlineCode(file, source, inlineCode);
  });
  const scratch = await mkdtemp(join(tmpdir(), "curtainwall-templates-"));
  const file = join(scratch, "templates.mjs");
  const placeOf = createPlaceOf(file, new SourceMap(JSON.parse(map) as SourceMapPayload));
  try {
    await writeFile(file, code, { mode: 0o600 });
    const modules = await importBundle(file, placeOf);
    const templates = checkExports(names, modules, templateFile(root, folder));
    return { templates, inlineCode, templateSources, placeOf };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

type Modules = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

const toUrlPath = (path: string): string => path.split(sep).join("/");
const templateFile = (root: string, folder: string) => (name: string) =>
  toUrlPath(relative(root, join(folder, `${name}.tsx`)));

/** The collections that have a template. Other files of the folder are components that templates share. */
async function templateNames(root: string, folder: string, collections: Iterable<string>): Promise<string[]> {
  const files = await readdir(folder).catch((cause: unknown) => {
    throw siteError("SITE_FOLDER_MISSING", `the folder ${toUrlPath(relative(root, folder))} can't be read.`, {
      hint: "The contract's site.templates names it, relative to the contract: make it, or correct the name",
      cause,
    });
  });
  return [...collections].filter((name) => files.includes(`${name}.tsx`)).sort();
}

/** Bundlings under way. */
let running = 0;

async function bundle(
  root: string,
  folder: string,
  names: readonly string[],
  onSource: (file: string, source: string) => void,
): Promise<{ code: string; map: string }> {
  running++;
  const failures: unknown[] = [];
  const imports = names.map(
    (name, index) => `import * as t${index} from ${JSON.stringify(`./${name}.tsx`)};`,
  );
  const members = names.map((name, index) => `${JSON.stringify(name)}: t${index}`);
  try {
    const { outputFiles } = await build({
      stdin: {
        contents: `${imports.join("\n")}\nexport const templates = { ${members.join(", ")} };`,
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
      plugins: [externalPackages(), scanSources(root, onSource, failures)],
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
  } finally {
    running--;
    // esbuild's process would stay for as long as this one.
    if (running === 0) await stop();
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
      bundler.onLoad({ filter: /\.[cm]?[jt]sx?$/, namespace: "file" }, async ({ path }) => {
        const source = await readFile(path, "utf8");
        try {
          onSource(toUrlPath(relative(root, path)), source);
        } catch (failure) {
          failures.push(failure);
          return { errors: [{ text: "refused" }] };
        }
        return { contents: source, loader: loaderOf(path) };
      });
    },
  };
}

function loaderOf(path: string): "ts" | "tsx" | "jsx" {
  if (path.endsWith(".tsx")) return "tsx";
  return /\.[cm]?ts$/.test(path) ? "ts" : "jsx";
}

const asGiven = Symbol("resolve as given");

/**
 * Leaves packages out of the bundle: they are imported from where they are. Ours and Preact come from this installation, so that
 * there is one of each.
 */
function externalPackages(): Plugin {
  const own = import.meta.url;
  const template = fileURLToPath(new URL(`../template${own.slice(own.lastIndexOf("."))}`, own));
  return {
    name: "curtainwall-packages",
    setup(bundler) {
      bundler.onResolve({ filter: /^[^./]/ }, async (request) => {
        if (request.pluginData === asGiven || request.kind === "entry-point") return undefined;
        if (request.path.startsWith("node:")) return { path: request.path, external: true };
        if (request.path === "curtainwall/template")
          return { path: pathToFileURL(template).href, external: true };
        if (/^preact(?:\/|$)/.test(request.path))
          return { path: import.meta.resolve(request.path), external: true };
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

async function importBundle(
  file: string,
  placeOf: (error: unknown) => SourcePlace | undefined,
): Promise<Modules> {
  try {
    const module = (await import(pathToFileURL(file).href)) as { templates: Modules };
    return module.templates;
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
    templates.set(name, { file: fileOf(name), page: page as Template["page"] });
  }
  return templates;
}

/** Finds the line of a source that an error was thrown at, from its stack. */
function createPlaceOf(file: string, map: SourceMap): (error: unknown) => SourcePlace | undefined {
  const address = pathToFileURL(file).href;
  return (error) => {
    const stack = error instanceof Error ? (error.stack ?? "") : "";
    for (const line of stack.split("\n")) {
      const start = line.indexOf(address);
      const position = start < 0 ? null : /^:(\d+):(\d+)/.exec(line.slice(start + address.length));
      if (position === null) continue;
      const entry = map.findEntry(Number(position[1]) - 1, Number(position[2]) - 1);
      if ("originalSource" in entry) return { file: entry.originalSource, line: entry.originalLine + 1 };
    }
    return undefined;
  };
}
