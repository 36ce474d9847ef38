import { readFile } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import type {
  BuildFailure,
  OnLoadResult,
  OnResolveArgs,
  OnResolveResult,
  Plugin,
  PluginBuild,
} from "esbuild";
import { routeTableOf } from "../../contract/index.ts";
import type { ContractRoute, NamedShapes } from "../../contract/index.ts";
import { siteError } from "../errors.ts";
import { findIslands, literalsIn, withoutSchemas } from "../islands/declarations.ts";
import { islandShapes } from "../islands/island.ts";
import { islandAsset, isIslandFile } from "../islands/names.ts";
import type { SourceFile } from "../source.ts";

/** Options of {@link buildIslands}. */
export interface BuildIslandsOptions {
  /** The contract's folder. */
  root: string;
  /** What the islands' files export, by file, relative to the root. */
  modules: ReadonlyMap<string, Readonly<Record<string, unknown>>>;
  /** Texts of the templates' sources, by file. */
  sources: ReadonlyMap<string, string>;
  routes: readonly ContractRoute[];
}

/**
 * Bundles each island into a module of its own, for browsers: its component, what that imports, and of the contract the answers of
 * the routes that it names.
 *
 * @throws {CurtainwallError} `SITE_ISLAND_INVALID`, `SITE_TEMPLATE_INVALID`
 */
export async function buildIslands(options: BuildIslandsOptions): Promise<SourceFile[]> {
  const islands: SourceFile[] = [];
  const owners = new Map<string, string>();
  for (const [file, module] of options.modules) {
    for (const { name } of findIslands(file, options.sources.get(file) ?? "")) {
      const owner = owners.get(name);
      if (owner !== undefined)
        throw siteError("SITE_ISLAND_INVALID", `${owner} has an island named ${name}, too.`, {
          place: { file },
        });
      owners.set(name, file);
      islands.push(await bundleIsland({ name, file, shapes: islandShapes(module[name]) }, options));
    }
  }
  return islands;
}

interface Island {
  readonly name: string;
  readonly file: string;
  readonly shapes: NamedShapes;
}

async function bundleIsland(
  { name, file, shapes }: Island,
  { root, routes }: BuildIslandsOptions,
): Promise<SourceFile> {
  const workshop = new Workshop(root, routes);
  try {
    const { outputFiles } = await build({
      stdin: {
        contents: [
          `import { ${name} as component } from ${JSON.stringify(join(root, file))};`,
          `import { hydrateIslands } from ${JSON.stringify(own("../islands/hydrate"))};`,
          `import { fitShape } from ${JSON.stringify(own("../../contract/client/shape"))};`,
          `hydrateIslands(${JSON.stringify(name)}, component, (data) => fitShape(${JSON.stringify(shapes)}, data));`,
        ].join("\n"),
        resolveDir: dirname(join(root, file)),
        sourcefile: `island ${name}`,
      },
      absWorkingDir: root,
      outfile: join(root, "island.js"),
      bundle: true,
      write: false,
      minify: true,
      format: "esm",
      platform: "browser",
      target: "es2022",
      jsx: "automatic",
      jsxImportSource: "preact",
      // A tsconfig nearby must not change how islands are read.
      tsconfigRaw: "{}",
      define: { "process.env.NODE_ENV": '"production"' },
      legalComments: "none",
      charset: "utf8",
      logLevel: "silent",
      plugins: [workshop.plugin()],
    });
    const bytes = new TextEncoder().encode(workshop.withTable(outputFiles[0]?.text ?? ""));
    const { calls, makesHtml } = workshop;
    return { path: islandAsset(name), file, bytes, island: { calls, makesHtml } };
  } catch (cause) {
    if (workshop.failure !== undefined) throw workshop.failure;
    const [error] = (cause as Partial<BuildFailure>).errors ?? [];
    if (error === undefined) throw cause;
    throw siteError("SITE_TEMPLATE_INVALID", error.text, {
      place: error.location === null ? { file } : { file: error.location.file, line: error.location.line },
      cause,
    });
  }
}

const ownFolder = dirname(fileURLToPath(import.meta.url));
/** Sources or code of this package: they name no routes. */
const packageFolder = fileURLToPath(new URL("../../", import.meta.url));
const ending = import.meta.url.slice(import.meta.url.lastIndexOf("."));

/** A file of this installation, in source or built. */
const own = (path: string): string => fileURLToPath(new URL(`${path}${ending}`, import.meta.url));

/** What an island may import of ours. All else of the package is for servers. */
const ours: ReadonlyMap<string, string> = new Map([
  ["curtainwall/island", own("../islands/in-browser")],
  ["curtainwall/client", own("../../contract/client/client")],
  ["curtainwall/rich-text", own("../islands/rich-text-in-browser")],
]);

const tableFile = own("../../contract/client/route-table");
const asGiven = Symbol("resolve as given");

/** Stands for the routes until all of the island's sources have been read. A name, since bundlers move texts about. */
const tableName = "CURTAINWALL_ROUTE_TABLE";

/** One island's bundling. */
class Workshop {
  readonly #root: string;
  readonly #routes: readonly ContractRoute[];
  readonly #named = new Set<string>();
  #hasClient = false;
  makesHtml = false;
  failure: unknown;

  constructor(root: string, routes: readonly ContractRoute[]) {
    this.#root = root;
    this.#routes = routes;
  }

  /** Whether the island can call the API. */
  get calls(): boolean {
    return this.#hasClient && this.#named.size > 0;
  }

  /** The bundle, with the routes that it names and no others. */
  withTable(code: string): string {
    const table = routeTableOf(this.#routes.filter(({ key }) => this.#named.has(key)));
    return code.replaceAll(tableName, () => `(${JSON.stringify(table)})`);
  }

  plugin(): Plugin {
    const keys = new Set(this.#routes.map(({ key }) => key));
    return {
      name: "curtainwall-island",
      setup: (bundler) => {
        bundler.onResolve({ filter: /^[^./]/ }, (request) => this.#resolve(bundler, request));
        bundler.onLoad({ filter: /\.[cm]?[jt]sx?$/, namespace: "file" }, ({ path }) =>
          path === tableFile
            ? { contents: `export const routeTable = ${tableName};`, loader: "js" }
            : this.#load(path, keys),
        );
      },
    };
  }

  async #resolve(bundler: PluginBuild, request: OnResolveArgs): Promise<OnResolveResult | undefined> {
    const { path, importer, pluginData, kind } = request;
    if (pluginData === asGiven || kind === "entry-point") return undefined;
    const mine = ours.get(path);
    if (mine !== undefined) {
      this.#hasClient ||= path === "curtainwall/client";
      this.makesHtml ||= path === "curtainwall/rich-text";
      return { path: mine };
    }
    if (path.startsWith("node:") || /^curtainwall(?:\/|$)/.test(path))
      return this.#refuse(`${path} is for servers, and an island runs in the browser.`, this.#name(importer));
    // One Preact, this installation's, as for the templates.
    if (/^preact(?:\/|$)/.test(path))
      return bundler.resolve(path, { kind, resolveDir: ownFolder, pluginData: asGiven });
    return undefined;
  }

  async #load(path: string, keys: ReadonlySet<string>): Promise<OnLoadResult | undefined> {
    if (path.includes(`${sep}node_modules${sep}`) || path.startsWith(packageFolder)) return undefined;
    const source = await readFile(path, "utf8");
    const file = this.#name(path);
    const loader = loaderOf(path);
    try {
      for (const key of literalsIn(source, keys)) this.#named.add(key);
      if (!isIslandFile(path)) return { contents: source, loader };
      return { contents: withoutSchemas(source, findIslands(file, source)), loader };
    } catch (failure) {
      this.failure ??= failure;
      return { errors: [{ text: "refused" }] };
    }
  }

  #refuse(message: string, file: string): OnResolveResult {
    this.failure ??= siteError("SITE_ISLAND_INVALID", message, {
      place: { file },
      hint: 'Import types with  import type …; of the package, islands use "curtainwall/island", "/client" and "/rich-text"',
    });
    return { errors: [{ text: "refused" }] };
  }

  #name(path: string): string {
    return relative(this.#root, path).split(sep).join("/");
  }
}

function loaderOf(path: string): "ts" | "tsx" | "jsx" {
  if (path.endsWith(".tsx")) return "tsx";
  return /\.[cm]?ts$/.test(path) ? "ts" : "jsx";
}
