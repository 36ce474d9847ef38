import { existsSync } from "node:fs";
import { dirname, isAbsolute, join, relative, sep } from "node:path";

/** Tells which files are a package's that the project asked for. */
export interface KnownPackages {
  /** A package was asked for by its name, and this file was found. */
  found(file: string): void;
  /** Whether a file is of such a package, or lies where the project's packages do. */
  has(file: string): boolean;
}

/**
 * Keeps the folders of a project's packages. Where one lies says little: it may be a store, or another folder of the same repository that is linked. What counts
 * is that it was asked for by name; what lies in somebody else's `node_modules` was not.
 *
 * @param root the project's folder, without links
 */
export function knownPackages(root: string): KnownPackages {
  const folders = new Set<string>();
  return {
    found(file) {
      const folder = packageOf(file);
      if (folder !== undefined) folders.add(folder);
    },
    has(file) {
      const [place = ""] = file.split(`${sep}${modules}${sep}`, 1);
      // Where the names of packages are looked up: in the project's folders, and in those above it.
      if (place !== file && (isWithin(place, root) || isWithin(root, place || sep))) return true;
      return folders.values().some((folder) => isWithin(file, folder));
    },
  };
}

const modules = "node_modules";

/** Whether a path is a folder, or lies in it. */
function isWithin(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

/** Undefined: none that has a name. */
function packageOf(file: string): string | undefined {
  const parts = file.split(sep);
  const at = parts.lastIndexOf(modules);
  if (at >= 0) return parts.slice(0, at + (parts[at + 1]?.startsWith("@") === true ? 3 : 2)).join(sep);
  for (let folder = dirname(file); folder !== dirname(folder); folder = dirname(folder))
    if (existsSync(join(folder, "package.json"))) return folder;
  return undefined;
}
