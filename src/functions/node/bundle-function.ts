import { createHash } from "node:crypto";
import { readFileSync, realpathSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import type { BuildFailure, Metafile, OutputFile, Plugin } from "esbuild";
import { CurtainwallError } from "../../shared/index.ts";
import type { BoundSecret } from "../bound-secret.ts";
import type { FunctionsErrorCode } from "../errors.ts";
import { guardImports } from "./guard-imports.ts";

/** Options of {@link bundleFunction}. */
export interface BundleFunctionOptions {
  /** The contract's folder; nothing outside it is bundled, but for its packages. */
  readonly root: string;
  readonly name: string;
  readonly runner: "workerd" | "node";
  /** What it would be bound to without egress. */
  readonly secrets: readonly BoundSecret[];
  /** The largest bundle, in bytes. Default 4 194 304. */
  readonly maxBytes?: number;
}

/** A function as one module. */
export interface FunctionBundle {
  readonly name: string;
  readonly code: Uint8Array;
  /** SHA-256 of the code, hexadecimal. */
  readonly sha256: string;
  /** Its source map, for the log. */
  readonly map: string;
  /** Files that it was made of, relative to the root: a change of one changes it. */
  readonly sources: readonly string[];
  /** Packages that are in it several times, each with the versions' folders. */
  readonly duplicates: readonly (readonly [name: string, folders: readonly string[]])[];
}

/**
 * Bundles `functions/<name>.ts` with what it imports and our wrapper. The same sources give the same bytes, on any path.
 *
 * @throws {CurtainwallError} `FUNCTIONS_FILE_MISSING`, `FUNCTIONS_SOURCE_INVALID`, `FUNCTIONS_IMPORT_REFUSED`, `FUNCTIONS_TOO_LARGE`
 */
export async function bundleFunction(options: BundleFunctionOptions): Promise<FunctionBundle> {
  const { name, maxBytes = 4_194_304 } = options;
  // Where files lie is told by their real paths, and a project may be reached by a link.
  const root = realpathSync(options.root);
  const file = findFunctionFile(root, name);
  const refusals: CurtainwallError<FunctionsErrorCode>[] = [];
  const guard = guardImports({ root, name, refusals, ours: ownModules, ownFolder });
  const bundle = (needsRequire: boolean): ReturnType<typeof run> =>
    run({ ...options, root }, file, { guard, refusals, needsRequire });
  const first = await bundle(false);
  const { outputFiles, metafile } = asksForBuiltins(first.metafile) ? await bundle(true) : first;
  const [map, code] = partsOf(outputFiles);
  if (code.contents.length > maxBytes) throw tooLarge(name, code.contents.length, maxBytes, metafile);
  return {
    name,
    code: code.contents,
    sha256: createHash("sha256").update(code.contents).digest("hex"),
    map: map.text,
    sources: sourcesOf(metafile, root),
    duplicates: duplicatesOf(metafile),
  };
}

const endings = ["ts", "mts", "js", "mjs"];

/** @throws {CurtainwallError} `FUNCTIONS_FILE_MISSING` */
function findFunctionFile(root: string, name: string): string {
  for (const ending of endings) {
    const file = join(root, "functions", `${name}.${ending}`);
    try {
      readFileSync(file);
      return file;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw unreadable(file, error);
    }
  }
  throw new CurtainwallError<FunctionsErrorCode>(
    "FUNCTIONS_FILE_MISSING",
    `The contract declares a function ${JSON.stringify(name)}, and there is no functions/${name}.ts.`,
    {
      hint: `Write it:  export default defineFunction<typeof contract, "POST /api/…">(async ({ body }) => …)`,
    },
  );
}

const unreadable = (file: string, cause: unknown): CurtainwallError<FunctionsErrorCode> =>
  new CurtainwallError("FUNCTIONS_FILE_MISSING", `${file} can't be read: ${(cause as Error).message}.`, {
    cause,
  });

const ending = import.meta.url.slice(import.meta.url.lastIndexOf("."));
const own = (path: string): string => fileURLToPath(new URL(`${path}${ending}`, import.meta.url));

/** Sources or code of this package. */
const ownFolder = fileURLToPath(new URL("../../", import.meta.url));

/** What a function may import of ours: types of all, and of code this. */
const ownModules: ReadonlyMap<string, string> = new Map([
  ["curtainwall/functions", own("../functions")],
  ["curtainwall:worker", own("../runtime/worker")],
  ["curtainwall:bindings", own("../runtime/bindings")],
]);

interface RunOptions {
  readonly guard: Plugin;
  readonly refusals: readonly CurtainwallError[];
  readonly needsRequire: boolean;
}

async function run(
  { root, name, runner, secrets }: BundleFunctionOptions,
  file: string,
  { guard, refusals, needsRequire }: RunOptions,
): Promise<{ outputFiles: OutputFile[]; metafile: Metafile }> {
  try {
    const built = await build({
      stdin: { contents: entryOf(name, file, secrets), resolveDir: root, sourcefile: `${name}.entry.js` },
      absWorkingDir: root,
      outfile: join(root, "function.js"),
      bundle: true,
      write: false,
      metafile: true,
      format: "esm",
      platform: runner === "workerd" ? "neutral" : "node",
      // A package's build for workers is chosen before that for Node; none may be the one for browsers.
      conditions:
        runner === "workerd" ? ["workerd", "worker", "import", "module"] : ["node", "import", "module"],
      mainFields: ["module", "main"],
      target: "es2024",
      // A tsconfig nearby must not change what runs.
      tsconfigRaw: "{}",
      define: { "process.env.NODE_ENV": '"production"' },
      // Whitespace and names aside nothing says where the project lies: the same sources are the same bytes anywhere.
      minify: true,
      ...(needsRequire ? { banner: { js: requireBuiltins } } : {}),
      sourcemap: "external",
      sourcesContent: false,
      charset: "utf8",
      legalComments: "none",
      logLevel: "silent",
      plugins: [guard],
    });
    const warned = (wanted: string): Place | undefined =>
      built.warnings.find(({ id, location }) => id === wanted && isOwn(location))?.location;
    if (warned("import-is-undefined")?.file.endsWith(".entry.js")) throw exportsNothing(name);
    const evaluated = warned("direct-eval");
    if (evaluated !== undefined && runner === "workerd") throw usesEval(name, evaluated);
    return built;
  } catch (cause) {
    if (cause instanceof CurtainwallError) throw cause;
    const [refusal] = refusals;
    if (refusal !== undefined) throw refusal;
    const [error] = (cause as Partial<BuildFailure>).errors ?? [];
    if (error === undefined) throw cause;
    throw new CurtainwallError<FunctionsErrorCode>(
      "FUNCTIONS_SOURCE_INVALID",
      `functions/${name} can't be bundled: ${placeOf(error.location)}${wordsOf(error.text)}`,
      { cause, ...hintOf(error) },
    );
  }
}

const isOwn = (location: Place): boolean => location !== null && !location.file.includes("node_modules/");

const exportsNothing = (name: string): CurtainwallError<FunctionsErrorCode> =>
  new CurtainwallError("FUNCTIONS_SOURCE_INVALID", `functions/${name} exports nothing by default.`, {
    hint: 'Write  export default defineFunction<typeof contract, "POST /api/…">(async ({ body }) => …)',
  });

const usesEval = (name: string, location: Place): CurtainwallError<FunctionsErrorCode> =>
  new CurtainwallError(
    "FUNCTIONS_SOURCE_INVALID",
    `functions/${name} makes code of texts, which its sandbox refuses once it is called: ${placeOf(location)}eval.`,
    { hint: evalHint(name) },
  );

/** What to do about code that makes code. */
export const evalHint = (name: string): string =>
  `Use something else (Ajv: its standalone code); or run it in Node, in the contract:  functions: { ${JSON.stringify(name)}: { runner: "node" } }`;

const asksForBuiltins = ({ outputs }: Metafile): boolean =>
  Object.values(outputs).some(({ imports }) => imports.some(({ kind }) => kind === "require-call"));

/** CommonJS packages ask for what Node brings by `require`. */
const requireBuiltins =
  'import { createRequire as curtainwallRequire } from "node:module"; var require = curtainwallRequire("file:///function.js");';

/** Our wrapper is loaded first, so that it has what is there before anybody else touches it. */
function entryOf(name: string, file: string, secrets: readonly BoundSecret[]): string {
  const isBound = secrets.length > 0;
  return [
    'import { createWorker } from "curtainwall:worker";',
    ...(isBound ? ['import { bindSecrets } from "curtainwall:bindings";'] : []),
    `import * as own from ${JSON.stringify(file)};`,
    `export default createWorker(own.default, { name: ${JSON.stringify(name)}${isBound ? `, bind: bindSecrets(${JSON.stringify(secrets)})` : ""} });`,
  ].join("\n");
}

type Place = { readonly file: string; readonly line: number; readonly column: number } | null;

function placeOf(location: Place): string {
  return location === null ? "" : `${location.file}:${location.line}:${location.column + 1}: `;
}

const wordsOf = (text: string): string => (text.endsWith(".") ? text : `${text}.`);

function hintOf({ text }: { text: string }): { hint?: string } {
  if (text.startsWith('No loader is configured for ".node"'))
    return {
      hint: "Native add-ons run in Node only, and only where they are installed: use a package of JavaScript or WebAssembly",
    };
  if (text.startsWith("Could not resolve")) return { hint: "If it is a package, install it:  npm install …" };
  return {};
}

function partsOf(files: readonly OutputFile[]): [map: OutputFile, code: OutputFile] {
  const [map, code] = [".map", ".js"].map((end) => files.find(({ path }) => path.endsWith(end)));
  if (map === undefined || code === undefined) throw new Error("The bundler wrote no code");
  return [map, code];
}

/** As the metafile names them: relative to the root. Ours are not among them. */
function sourcesOf({ inputs }: Metafile, root: string): string[] {
  const ours = relative(root, ownFolder).split(sep).join("/");
  return Object.keys(inputs)
    .filter((path) => !path.startsWith(`${ours}/`) && !path.endsWith(".entry.js") && !path.includes(":"))
    .sort();
}

function tooLarge(
  name: string,
  bytes: number,
  maxBytes: number,
  { outputs }: Metafile,
): CurtainwallError<FunctionsErrorCode> {
  const inputs = Object.values(outputs).flatMap((output) => Object.entries(output.inputs));
  const largest = inputs
    .sort(([, left], [, right]) => right.bytesInOutput - left.bytesInOutput)
    .slice(0, 5)
    .map(([path, { bytesInOutput }]) => `  ${path} (${bytesInOutput} bytes)`);
  return new CurtainwallError<FunctionsErrorCode>(
    "FUNCTIONS_TOO_LARGE",
    `functions/${name} has ${bytes} bytes with what it imports, of ${maxBytes} at most. Most of it:\n${largest.join("\n")}`,
    { hint: "Import less of those, or a smaller package: each start of the function reads all of it" },
  );
}

function duplicatesOf({ inputs }: Metafile): [string, string[]][] {
  const folders = new Map<string, Set<string>>();
  for (const path of Object.keys(inputs)) {
    const [, folder = "", name = ""] = /^(.*node_modules\/((?:@[^/]+\/)?[^/]+))\//.exec(path) ?? [];
    if (name === "") continue;
    folders.set(name, (folders.get(name) ?? new Set()).add(folder));
  }
  return [...folders]
    .filter(([, places]) => places.size > 1)
    .map(([name, places]): [string, string[]] => [name, [...places].sort()]);
}
