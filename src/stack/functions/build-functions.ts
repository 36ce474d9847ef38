import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { ContractFunction } from "../../contract/index.ts";
import type { FunctionsErrorCode } from "../../functions/index.ts";
import { boundSecrets, bundleFunction } from "../../functions/node.ts";
import type { FunctionBundle } from "../../functions/node.ts";
import type { LeakGate } from "../../harden/index.ts";
import { CurtainwallError } from "../../shared/index.ts";
import { makeStateFolder, stackFolders } from "../folders.ts";
import { assertNoLeaks } from "../hardening/leak-gate.ts";
import type { LoadedContract } from "../contract/load-contract.ts";
import { engineFor } from "./engine-for.ts";
import { openBundleStore } from "./bundle-store.ts";
import type { BundleStore } from "./bundle-store.ts";
import { smokeBoot } from "./smoke-boot.ts";

/** Options of {@link buildFunctions}. */
export interface BuildFunctionsOptions {
  /** What the bundles must pass, as all that leaves must. Default: nothing looks at them. */
  readonly gate?: LeakGate;
  readonly onProgress?: (step: "bundling" | "starting", done: number, total: number) => void;
}

/** A function that was built. */
export interface BuiltFunction {
  readonly name: string;
  readonly sha256: string;
  readonly bytes: number;
  /** Whether its code is another than the build before made. */
  readonly isNew: boolean;
  /** Files that it was made of, relative to the contract. */
  readonly sources: readonly string[];
  readonly duplicates: FunctionBundle["duplicates"];
}

/**
 * Bundles all functions of a contract, starts each alone, and keeps them for a program to name. Nothing is kept of a build of which one fails.
 *
 * @throws {CurtainwallError} `FUNCTIONS_FILE_UNDECLARED`, `FUNCTIONS_BOOT_FAILED`, `HARDEN_LEAK_FOUND`, what `bundleFunction` throws
 */
export async function buildFunctions(
  { contract, root }: Pick<LoadedContract, "contract" | "root">,
  { gate, onProgress = () => {} }: BuildFunctionsOptions = {},
): Promise<BuiltFunction[]> {
  const { functions } = contract;
  assertDeclared(root, functions);
  const folders = stackFolders(root);
  const store = openBundleStore(folders);
  const before = store.built();
  if (functions.size === 0 && before.size === 0) return [];
  makeStateFolder(folders);
  const bundles: FunctionBundle[] = [];
  for (const { name, runner } of functions.values()) {
    onProgress("bundling", bundles.length, functions.size);
    bundles.push(await bundleFunction({ root, name, runner, secrets: boundSecrets(contract, name) }));
  }
  if (gate !== undefined)
    assertNoLeaks(
      bundles.flatMap(({ name, code }) => gate.inspect({ path: `functions/${name}.js`, bytes: code })),
    );
  await bootAll(
    root,
    bundles.filter(({ sha256 }) => !store.has(sha256)),
    functions,
    store,
    onProgress,
  );
  store.keepBuilt(new Map(bundles.map(({ name, sha256 }) => [name, sha256])));
  return bundles.map(({ name, sha256, code, sources, duplicates }) => ({
    name,
    sha256,
    bytes: code.length,
    isNew: before.get(name) !== sha256,
    sources,
    duplicates,
  }));
}

/** What lies there looks as if it ran. */
function assertDeclared(root: string, functions: ReadonlyMap<string, ContractFunction>): void {
  const names = listFiles(join(root, "functions"))
    .map((file) => /^([^_.][^.]*)\.(?:ts|mts|js|mjs)$/.exec(file)?.[1])
    .filter((name) => name !== undefined);
  const undeclared = names.filter((name) => !functions.has(name));
  const [first] = undeclared;
  if (first === undefined) return;
  throw new CurtainwallError<FunctionsErrorCode>(
    "FUNCTIONS_FILE_UNDECLARED",
    `The contract declares no function for ${undeclared.map((name) => `functions/${name}`).join(", ")}.`,
    {
      hint: `Declare it:  functions: { ${JSON.stringify(first)}: {} }   What functions share goes into another folder, or gets a name that begins with "_"`,
    },
  );
}

function listFiles(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ name }) => name);
  } catch {
    return [];
  }
}

/** One after another: each is allowed all of its memory, and a build has the site to make, too. What is kept has been started before. */
async function bootAll(
  root: string,
  bundles: readonly FunctionBundle[],
  functions: ReadonlyMap<string, ContractFunction>,
  store: BundleStore,
  onProgress: NonNullable<BuildFunctionsOptions["onProgress"]>,
): Promise<void> {
  for (const [index, bundle] of bundles.entries()) {
    const { name, sha256, map } = bundle;
    onProgress("starting", index, bundles.length);
    const { runner = "workerd", memoryMb = 256 } = functions.get(name) ?? {};
    store.put(bundle);
    const accepted = new Map([[name, { file: store.file(sha256), sha256 }]]);
    await smokeBoot({ name, engine: engineFor(runner, accepted), map, memoryMb, root });
    store.confirm(bundle);
  }
}
