import { readdirSync } from "node:fs";
import { join } from "node:path";

/** How far down is looked, and into how many folders: whoever stands in `/` waits for no hint. */
const maxDepth = 2;
const maxFolders = 500;

/** Folders below this one that hold a contract, at most two levels down. What packages and tools keep for themselves is not looked at. */
export function contractsBelow(root: string, isContract: (folder: string) => boolean): string[] {
  let level = [root];
  let left = maxFolders;
  const found: string[] = [];
  for (let depth = 1; depth <= maxDepth; depth++) {
    level = level.flatMap(foldersIn).slice(0, left);
    left -= level.length;
    found.push(...level.filter(isContract));
  }
  return found;
}

function foldersIn(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && entry.name !== "node_modules" && !entry.name.startsWith("."))
      .map(({ name }) => join(folder, name))
      .toSorted();
  } catch {
    // This user may not read it: then nothing is named there.
    return [];
  }
}
