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
  /** Each is read when it is asked for. */
  readonly files: ProofFiles;
  /** What is wrong with it so far; what can't be read is added when it is asked for. */
  readonly problems: readonly string[];
}

/** Looks at what lies in a pack, and reads nothing yet. */
export function openPack(pack: string, command: Command): OpenPack {
  if (lstatSync(pack, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw usageError(`There is no folder ${pack}`, command, meantFolder(pack));
  const names = readdirSync(pack);
  const problems = names.length > maxFiles ? [`it has ${names.length} files: no pack has so many`] : [];
  const sizes = new Map<string, number>();
  for (const name of names.slice(0, maxFiles)) {
    const stats = lstatSync(join(pack, name));
    if (stats.isFile()) sizes.set(name, stats.size);
    else problems.push(`${name} is no file`);
  }
  let left = maxBytes;
  const get = (name: string): Uint8Array | undefined => {
    const size = sizes.get(name);
    if (size === undefined) return undefined;
    if (size > (name === "statement.json" ? Math.min(left, maxStatementBytes) : left)) {
      problems.push(
        `${name} was not read: it is larger than anything in a pack, which has at most 32 MB in all, and 4 MB of statement`,
      );
      return undefined;
    }
    left -= size;
    return readFileSync(join(pack, name));
  };
  return { files: { keys: () => sizes.keys(), get }, problems };
}
