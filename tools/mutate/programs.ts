import { build } from "esbuild";

/** The programs that a planted fault may be in, beside the stack itself, which is started anew each time. */
export type ProgramName = "shop" | "login" | "others" | "build" | "audit" | "vault";

/** What they begin with. */
const entries: Readonly<Record<ProgramName, readonly string[]>> = {
  shop: ["examples/bakery/shop/main.ts"],
  login: ["examples/bakery/login/main.ts"],
  others: ["examples/bakery/others/main.ts"],
  build: [
    "src/cli/build/build-command.ts",
    "src/stack/domains/builder.ts",
    "src/stack/domains/page-builder.ts",
    "src/harden/node/worker.ts",
    "examples/bakery/curtainwall.config.ts",
  ],
  audit: [
    "tools/mutate/auditor.ts",
    "examples/bakery/curtainwall.config.ts",
    "examples/bakery/curtainwall.audit.ts",
  ],
  vault: ["src/stack/domains/vault.ts"],
};

/** Folders whose files are read, not imported. */
const folders: Readonly<Partial<Record<ProgramName, RegExp>>> = {
  build: /^examples\/bakery\/(?:content|templates|public|functions)\/|^src\/functions\//,
};

/** Finds the programs that a changed path is part of. */
export type FindPrograms = (paths: readonly string[]) => ReadonlySet<ProgramName>;

/** Looks at what each program is made of, so that no more is built or started anew than a fault is in. */
export async function findPrograms(root: string): Promise<FindPrograms> {
  const found = await Promise.all(
    (Object.keys(entries) as ProgramName[]).map(async (name) => ({
      name,
      modules: await modulesOf(root, name),
    })),
  );
  return (paths) =>
    new Set(
      found
        .filter(({ name, modules }) =>
          paths.some((path) => modules.has(path) || folders[name]?.test(path) === true),
        )
        .map(({ name }) => name),
    );
}

/** The modules of which code is left in a program when what nobody uses is dropped. */
async function modulesOf(root: string, name: ProgramName): Promise<ReadonlySet<string>> {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: [...entries[name]],
    conditions: ["curtainwall-source"],
    bundle: true,
    write: false,
    metafile: true,
    platform: "node",
    format: "esm",
    outdir: "unused",
    logLevel: "error",
    plugins: [
      {
        name: "other people's packages aside",
        setup: ({ onResolve }) =>
          onResolve({ filter: /^[^./]/ }, ({ path, kind }) =>
            kind === "entry-point" || /^curtainwall(?:\/|$)/.test(path)
              ? undefined
              : { path, external: true },
          ),
      },
    ],
  });
  return new Set(
    Object.values(metafile.outputs).flatMap(({ inputs }) =>
      Object.entries(inputs).flatMap(([path, { bytesInOutput }]) => (bytesInOutput > 0 ? [path] : [])),
    ),
  );
}
