// Bundles what starts often, beside the plain modules that tsc made (docs/decisions/056-what-starts-often-is-bundled.md).
import { chmodSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { build } from "esbuild";
import type { Metafile } from "esbuild";
import type { BundleRecord } from "../src/stack/processes/as-built.ts";
import { assertLightBeginning, packagesIn, writeContents } from "./bundle-contents.ts";
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
  "stack/domains/vault": [],
  "stack/domains/egress": forContracts,
  "stack/domains/functions": [],
  "stack/domains/builder": [...forContracts, ...forTemplates],
  "stack/domains/page-builder": forTemplates,
  "harden/node/worker": [],
};

/** What it begins with has no package in it: a build that changed nothing loads nothing else, and need not look at any. */
const command = "cli/main";

/** Native, optional, or imported by templates too. */
const outside = ["esbuild", "sharp", "playwright-core", "preact", "preact/*", "preact-render-to-string"];

/** Bundles the programs of the package in `root`, whose plain modules lie in `dist`, into `dist/run`. */
export async function bundle(root: string, dist: string): Promise<void> {
  const out = join(dist, "run");
  const made = await Promise.all(
    Object.entries(programs).map(async ([path, modules]) => {
      const metafile = await bundleOne({ root, out }, path, modules);
      if (path === command) assertLightBeginning(metafile, join(root, "src/cli"), root);
      writeChooser(dist, path, recordOf(metafile, root, path, modules));
      return metafile;
    }),
  );
  writeContents(made, root, out);
}

/** Each program by itself: parts that several share would be many and small, and each costs time to find. */
async function bundleOne(
  { root, out }: { root: string; out: string },
  program: string,
  modules: readonly Shared[],
): Promise<Metafile> {
  const source = join(root, "src");
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: [{ path: program }, ...modules].map((module: Shared) => ({
      in:
        module.package === undefined
          ? join(source, `${module.path}.ts`)
          : join(root, "node_modules", module.package, `${module.path}.js`),
      out: outputOf(program, module),
    })),
    // One flat folder: what a module knows of its own address is then the same in whatever part it ends.
    outdir: out,
    chunkNames: `${nameOf({ path: program })}.part-[hash]`,
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
  return metafile;
}

const nameOf = ({ package: name, path }: Shared): string =>
  (name === undefined ? path : `${name}/${path}`).replaceAll("/", "-");

/** The output of a program, or of what it shares. */
const outputOf = (program: string, module: Shared): string =>
  module.path === program ? nameOf(module) : `${nameOf({ path: program })}.${nameOf(module)}`;

function recordOf(
  metafile: Metafile,
  root: string,
  program: string,
  modules: readonly Shared[],
): BundleRecord {
  const packages = packagesIn(metafile, root);
  return {
    packages,
    copies: modules.map((module) => ({
      package: packages.findIndex(
        ({ name, parent }) => parent <= 0 && name === (module.package ?? packages[0]?.name),
      ),
      file: module.package === undefined ? `dist/${module.path}.js` : `${module.path}.js`,
      bundle: `${outputOf(program, module)}.js`,
    })),
  };
}

/** The plain module makes room: whoever starts the program, or asks for its address, meets the choice. */
function writeChooser(dist: string, path: string, record: BundleRecord): void {
  const file = join(dist, `${path}.js`);
  const name = basename(path);
  const plain = `./${name}-plain.js`;
  const [hashbang = ""] = /^#!.*\n/.exec(readFileSync(file, "utf8")) ?? [];
  renameSync(file, join(dist, path, "..", plain));
  const up = "../".repeat(path.split("/").length - 1);
  const bundled = `${up}run/${nameOf({ path })}.js`;
  const begin = `const record = ${JSON.stringify(record)};
const run = new URL("${up}run/", import.meta.url).href;
`;
  if (path !== command) {
    writeFileSync(
      file,
      `import { runsAsBuilt } from "${up}stack/processes/as-built.js";
${begin}await import(runsAsBuilt(record, run) ? "${bundled}" : "${plain}");
`,
    );
    return;
  }
  writeFileSync(
    join(dist, path, "..", `${name}-begin.js`),
    `import { asBuiltLater } from "${up}stack/processes/as-built.js";
${begin}const begun = record.copies.filter(({ file }) => file === "dist/shared/index.js");
globalThis[Symbol.for("curtainwall.as-built")] = asBuiltLater(record, begun, run);
await import(process.env.CURTAINWALL_PLAIN === "1" ? "${plain}" : "${bundled}");
`,
  );
  writeFileSync(file, `${hashbang}${commandEntry(`./${name}-begin.js`)}`);
  chmodSync(file, 0o755);
}

/** What the command is started with may be any Node: one that is too old must be able to read this far. */
const commandEntry = (begin: string): string => `import { howToGetNode, nodeTooOld } from "./node-version.js";
const problem = nodeTooOld(process.versions.node);
if (problem === undefined) import("${begin}");
else {
  console.error(\`CLI_PART_MISSING  \${problem}\\n→ \${howToGetNode}\`);
  process.exitCode = 1;
}
`;
