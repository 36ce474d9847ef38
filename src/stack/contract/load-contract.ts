import { existsSync, statSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { parseContract } from "../../contract/index.ts";
import type { Contract } from "../../contract/index.ts";
import { CurtainwallError, isCurtainwallError, printable } from "../../shared/index.ts";
import { meantFolder } from "../../shared/node.ts";
import { contractsBelow } from "./contracts-below.ts";
import { recordModules } from "../builder/record-modules.ts";

/** A contract with where it came from. */
export interface LoadedContract {
  readonly contract: Contract;
  /** The file. */
  readonly file: string;
  /** The folder that its paths are relative to. */
  readonly root: string;
  /** Names of the environment variables that it read: the edge gets these and no others. */
  readonly environment: readonly string[];
  /** Files that it consists of: its own and those that it imports, packages aside. */
  readonly modules: readonly string[];
}

/** What each contract read and imported when it was first loaded: a module is evaluated once a process. */
const firstLoads = new Map<string, Pick<LoadedContract, "environment" | "modules">>();

const fileNames = [
  "curtainwall.config.ts",
  "curtainwall.config.mts",
  "curtainwall.config.js",
  "curtainwall.config.mjs",
];

/**
 * Loads and checks the contract in a folder, or in a file.
 *
 * @throws {CurtainwallError} `STACK_CONFIG_MISSING`, `STACK_CONFIG_FAILED` when the file throws or can't be read as
 *   TypeScript, and what `parseContract` throws
 */
export async function loadContract(path: string = "."): Promise<LoadedContract> {
  const file = findFile(resolve(path));
  const recorded = recordEnvironment();
  const imported = recordModules();
  try {
    const module = (await import(pathToFileURL(file).href)) as { default?: unknown };
    const first = firstLoads.get(file) ?? { environment: recorded.names(), modules: imported.paths() };
    firstLoads.set(file, first);
    return {
      contract: parseContract(module.default),
      file,
      root: dirname(file),
      ...first,
    };
  } catch (cause) {
    if (isCurtainwallError(cause)) throw cause;
    const { message, stack, code } = cause as NodeJS.ErrnoException;
    // What imports a missing module stands in the message; the stack has only who looked for it.
    const isNamed = code === "ERR_MODULE_NOT_FOUND";
    const place = isNamed ? undefined : stack?.split("\n").find((line) => line.includes("file://"));
    const hints = [place?.trim(), code === "ENOENT" ? importInstead : undefined].filter(
      (hint) => hint !== undefined,
    );
    throw new CurtainwallError("STACK_CONFIG_FAILED", `${file} can't be loaded: ${message}`, {
      cause,
      ...(hints.length === 0 ? {} : { hint: hints.join("\n") }),
    });
  } finally {
    recorded.stop();
    imported.stop();
  }
}

const importInstead =
  'The edge\'s sandbox shows what a contract imports, and not what it reads. If the file is there, import it:  import data from "./data.json" with { type: "json" }';

/** Whether a path is a contract's folder, or its file. */
export function hasContract(path: string): boolean {
  const isFile = statSync(path, { throwIfNoEntry: false })?.isFile() === true;
  return isFile ? fileNames.includes(basename(path)) : fileIn(path) !== undefined;
}

const fileIn = (folder: string): string | undefined =>
  fileNames
    .map((name) => join(folder, name))
    .find((file) => statSync(file, { throwIfNoEntry: false })?.isFile());

function findFile(path: string): string {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats?.isFile()) return path;
  const found = fileIn(path);
  if (found !== undefined) return found;
  throw new CurtainwallError(
    "STACK_CONFIG_MISSING",
    stats === undefined ? `There is no ${path}.` : `There is no contract in ${path}.`,
    { hint: whereElse(path) },
  );
}

/** More are no hint. */
const maxNamed = 5;

function whereElse(path: string): string {
  const meant = existsSync(path) ? undefined : meantFolder(path, hasContract);
  if (meant !== undefined) return `Did you mean  ${meant}?`;
  const below = contractsBelow(path, hasContract);
  if (below.length === 0)
    return `Name the folder that holds ${fileNames[0]}, or write one:  export default defineStack({ origin: "https://…" })`;
  const names = below.slice(0, maxNamed).map((folder) => printable(relative(process.cwd(), folder)));
  const more = below.length > maxNamed ? ` and ${below.length - maxNamed} more` : "";
  return `There is one in  ${names.join(", ")}${more}.  Name the folder, last in the command`;
}

/** Notes which variables are read while the contract loads. */
function recordEnvironment(): { names: () => string[]; stop: () => void } {
  const real = process.env;
  const read = new Set<string>();
  process.env = new Proxy(real, {
    get(target, name) {
      if (typeof name === "string") read.add(name);
      return target[name as string];
    },
    has(target, name) {
      if (typeof name === "string") read.add(name);
      return name in target;
    },
  });
  return {
    names: () => [...read].filter((name) => real[name] !== undefined),
    stop: () => void (process.env = real),
  };
}
