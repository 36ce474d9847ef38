// Bundles what starts often, beside the plain modules that tsc made (docs/decisions/056-what-starts-often-is-bundled.md).
import { chmodSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { build } from "esbuild";
import type { Metafile } from "esbuild";
import type { BundleRecord } from "../src/stack/as-built.ts";
import { packagesIn, writeContents } from "./bundle-contents.ts";
import { onlyWhatIsUsed, ownModules } from "./bundle-plugins.ts";

/** A module that a site's own code imports too, so that there must be one of each: where it lies in a package, if not in this one. */
interface Shared {
  readonly package?: string;
  readonly path: string;
}

/** What a contract imports, by our exports or by way of them. */
const forContracts: readonly Shared[] = [
  { path: "shared/index" },
  { path: "contract/index" },
  { path: "contract/client/client" },
  ...["index", "mini/index", "v4/index", "v4/mini/index", "v4/core/index"].map((path) => ({
    package: "zod",
    path,
  })),
];

const forTemplates: readonly Shared[] = [
  { path: "site/template" },
  { path: "site/islands/island" },
  { path: "site/islands/rich-text" },
];

/** Programs, and what they share. Each is replaced by a few lines that choose between the bundle and the module that tsc made. */
const programs: Readonly<Record<string, readonly Shared[]>> = {
  "cli/main": [...forContracts, ...forTemplates],
  "stack/domains/edge": [],
  "stack/domains/edge-thread": forContracts,
  "stack/domains/ledger": [],
  "stack/domains/builder": [...forContracts, ...forTemplates],
  "harden/node/worker": [],
};

/** Native, optional, or imported by templates too. */
const outside = ["esbuild", "sharp", "playwright-core", "preact", "preact/*", "preact-render-to-string"];

/** Bundles the programs of the package in `root`, whose plain modules lie in `dist`, into `dist/run`. */
export async function bundle(root: string, dist: string): Promise<void> {
  const source = join(root, "src");
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: [
      ...Object.keys(programs).map((path) => ({ in: join(source, `${path}.ts`), out: nameOf({ path }) })),
      ...[...forContracts, ...forTemplates].map((module) => ({
        in:
          module.package === undefined
            ? join(source, `${module.path}.ts`)
            : join(root, "node_modules", module.package, `${module.path}.js`),
        out: nameOf(module),
      })),
    ],
    // One flat folder: what a module knows of its own address is then the same in whatever part it ends.
    outdir: join(dist, "run"),
    chunkNames: "part-[hash]",
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node24",
    charset: "utf8",
    external: outside,
    legalComments: "eof",
    // Packages in CommonJS ask for Node's own modules by it.
    banner: {
      js: `import { createRequire as nodeRequire } from "node:module";\nconst require = nodeRequire(import.meta.url);`,
    },
    metafile: true,
    logLevel: "warning",
    plugins: [ownModules(source), onlyWhatIsUsed(root)],
  });
  writeContents(metafile, root, join(dist, "run"));
  for (const [path, modules] of Object.entries(programs))
    writeChooser(dist, path, recordOf(metafile, root, path, modules));
}

const nameOf = ({ package: name, path }: Shared): string =>
  (name === undefined ? path : `${name}/${path}`).replaceAll("/", "-");

function recordOf(
  metafile: Metafile,
  root: string,
  program: string,
  modules: readonly Shared[],
): BundleRecord {
  const entries = [{ path: program }, ...modules].map((module) =>
    join("dist", "run", `${nameOf(module)}.js`),
  );
  const packages = packagesIn(metafile, root, entries);
  return {
    packages,
    copies: modules.map((module) => ({
      package: packages.findIndex(
        ({ name, parent }) => parent <= 0 && name === (module.package ?? packages[0]?.name),
      ),
      file: module.package === undefined ? `dist/${module.path}.js` : `${module.path}.js`,
      bundle: `${nameOf(module)}.js`,
    })),
  };
}

/** The plain module makes room: whoever starts the program, or asks for its address, meets the choice. */
function writeChooser(dist: string, path: string, record: BundleRecord): void {
  const file = join(dist, `${path}.js`);
  const plain = `${basename(path)}-plain.js`;
  const [hashbang = ""] = /^#!.*\n/.exec(readFileSync(file, "utf8")) ?? [];
  renameSync(file, join(file, "..", plain));
  const up = "../".repeat(path.split("/").length - 1);
  writeFileSync(
    file,
    `${hashbang}import { runsAsBuilt } from "${up}stack/as-built.js";
const record = ${JSON.stringify(record)};
const run = new URL("${up}run/", import.meta.url).href;
await import(runsAsBuilt(record, run) ? "${up}run/${nameOf({ path })}.js" : "./${plain}");
`,
  );
  if (hashbang !== "") chmodSync(file, 0o755);
}
