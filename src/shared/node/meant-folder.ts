import { readdirSync, statSync } from "node:fs";
import { basename, dirname, isAbsolute, join, relative, resolve } from "node:path";
import { nearest } from "../nearest.ts";
import { printable } from "../printable.ts";

/**
 * The folder that a misspelt path was probably meant to be, as it can be typed: each part that is not there is taken for what lies there by the
 * nearest name. Undefined where nothing is near, or what is found is none of those that are looked for.
 */
export function meantFolder(
  path: string,
  isOne: (folder: string) => boolean = () => true,
): string | undefined {
  const found = meant(resolve(path));
  if (found === undefined || !isOne(found)) return undefined;
  const fromHere = relative("", found);
  return printable(isAbsolute(path) && fromHere.startsWith("..") ? found : fromHere);
}

function meant(path: string): string | undefined {
  if (isFolder(path)) return path;
  const parent = dirname(path) === path ? undefined : meant(dirname(path));
  if (parent === undefined) return undefined;
  const there = join(parent, basename(path));
  if (isFolder(there)) return there;
  const near = nearest(basename(path), foldersIn(parent));
  return near === undefined ? undefined : join(parent, near);
}

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

function foldersIn(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name)
      .toSorted();
  } catch {
    // This user may not read it: then nothing is named there.
    return [];
  }
}
