import { hash } from "node:crypto";
import { existsSync, readFileSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import type { FunctionBundle } from "../../functions/node.ts";
import { writeWhole } from "../../release/node.ts";
import type { StackFolders } from "../folders.ts";

/** The bundles that this site was built with, each under the digest of its code. */
export interface BundleStore {
  /** Whether it holds this code, whole, and it has been seen to start. */
  has(sha256: string): boolean;
  /** Keeps code that has not been started yet. */
  put(bundle: FunctionBundle): void;
  /** Takes note that it starts. */
  confirm(bundle: FunctionBundle): void;
  file(sha256: string): string;
  /** Undefined: there is none, or not of this digest. */
  code(sha256: string): Uint8Array | undefined;
  /** A bundle's source map; empty if there is none. */
  map(sha256: string): string;
  /** What the last build made: functions' digests by name. */
  built(): ReadonlyMap<string, string>;
  /** Takes note of what a build made. */
  keepBuilt(built: ReadonlyMap<string, string>): void;
  /** Forgets the oldest bundles that nobody named lately. */
  collect(named: ReadonlySet<string>): void;
}

/** Bundles that are kept besides those in use: what can be gone back to. */
const keptBundles = 100;
const digestGrammar = /^[0-9a-f]{64}$/;

/** Opens it: a folder in the site's state. Nobody but this user writes there, and what is in it counts only if a signed program names it. */
export function openBundleStore({ state }: Pick<StackFolders, "state">): BundleStore {
  const folder = join(state, "functions");
  const file = (sha256: string): string => join(folder, `${sha256}.js`);
  const builtFile = join(folder, "built.json");
  const code = (sha256: string): Uint8Array | undefined => {
    const bytes = digestGrammar.test(sha256) ? readIfThere(file(sha256)) : undefined;
    return bytes !== undefined && hash("sha256", bytes, "hex") === sha256 ? bytes : undefined;
  };
  return {
    file,
    code,
    has: (sha256) => code(sha256) !== undefined && existsSync(`${file(sha256)}.map`),
    put: ({ sha256, code: bytes }) => writeWhole(file(sha256), bytes, 0o600),
    confirm: ({ sha256, map }) => writeWhole(`${file(sha256)}.map`, Buffer.from(map), 0o600),
    map: (sha256) => readIfThere(`${file(sha256)}.map`)?.toString("utf8") ?? "",
    built: () => parseBuilt(readIfThere(builtFile)?.toString("utf8") ?? "{}"),
    keepBuilt: (built) =>
      writeWhole(builtFile, Buffer.from(JSON.stringify(Object.fromEntries(built))), 0o600),
    collect(named) {
      const others = listDigests(folder).filter((sha256) => !named.has(sha256));
      const byAge = others
        .map((sha256) => ({ sha256, ms: statSync(file(sha256)).mtimeMs }))
        .sort((left, right) => right.ms - left.ms);
      for (const { sha256 } of byAge.slice(keptBundles))
        for (const path of [file(sha256), `${file(sha256)}.map`]) rmSync(path, { force: true });
    },
  };
}

function readIfThere(file: string): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** What can't be read was not built: the next build writes it anew. */
function parseBuilt(text: string): Map<string, string> {
  try {
    const entries = Object.entries(JSON.parse(text) as Record<string, unknown>);
    return new Map(
      entries.filter((entry): entry is [string, string] => digestGrammar.test(String(entry[1]))),
    );
  } catch {
    return new Map();
  }
}

function listDigests(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith(".js") && digestGrammar.test(name.slice(0, -3)))
      .map((name) => name.slice(0, -3));
  } catch {
    return [];
  }
}
