import { lstatSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { ProofFiles } from "../../audit/index.ts";
import { meantFolder } from "../../shared/node.ts";
import { usageError } from "../command.ts";
import type { Command } from "../command.ts";

/** What a pack may hold. That of the bakery has three files of 3 MB together, its statement 0.1 MB. */
const maxFiles = 64;
const maxBytes = 32 * 1024 * 1024;
const maxStatementBytes = 4 * 1024 * 1024;

/** A pack that somebody else may have made. */
export interface OpenPack {
  /** Each is read when it is asked for, if it is what a pack may hold. */
  readonly files: ProofFiles;
  /** What is wrong with it as a whole. */
  readonly problems: readonly string[];
}

/** Looks at what lies in a pack, and reads nothing yet. */
export function openPack(pack: string, command: Command): OpenPack {
  if (lstatSync(pack, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw usageError(`There is no folder ${pack}`, command, meantFolder(pack));
  const names = readdirSync(pack);
  const problems = names.length > maxFiles ? [`it has ${names.length} files: no pack has so many`] : [];
  const looked = new Map(names.slice(0, maxFiles).map((name) => [name, lstatSync(join(pack, name))]));
  let left = maxBytes;
  const get = (name: string): Uint8Array | Error | undefined => {
    const stats = looked.get(name);
    if (stats === undefined) return names.includes(name) ? new Error("there are too many") : undefined;
    if (!stats.isFile()) return new Error("it is no file");
    if (stats.size > (name === "statement.json" ? Math.min(left, maxStatementBytes) : left))
      return new Error(
        "it is larger than anything in a pack, which has at most 32 MB in all, and 4 MB of statement",
      );
    left -= stats.size;
    return readFileSync(join(pack, name));
  };
  return { files: { keys: () => looked.keys(), get }, problems };
}
