import { cpSync, existsSync, lstatSync, mkdirSync, readdirSync } from "node:fs";
import { basename, dirname, join, relative, sep } from "node:path";
import { isExampleEnvironment, privateKind } from "../../shared/index.ts";

/** A copy of a project for a build to work in. */
export interface WorkCopy {
  /** What was left out because a build has no business with it, relative to the project. */
  readonly withheld: readonly string[];
  /** Folders of installed packages, from the project's own up to its ancestors': shown to the build read-only. */
  readonly packages: readonly string[];
}

/**
 * Copies a project without what a build must not see: keys, environment files, histories, our own state. Packages are not copied:
 * they are shown read-only.
 */
export function copyProject(root: string, target: string, output: string): WorkCopy {
  const withheld = new Set<string>();
  const skipped = join(root, output);
  const state = join(root, ".curtainwall");
  const isWanted = (path: string): boolean => {
    if (path === skipped || path === state || basename(path) === "node_modules") return false;
    const kind = lstatSync(path);
    const name = relative(root, path).split(sep).join("/");
    // A socket or a device leads out of the jail.
    if (
      !isPrivate(name, kind.isDirectory()) &&
      (kind.isFile() || kind.isDirectory() || kind.isSymbolicLink())
    )
      return true;
    withheld.add(name);
    return false;
  };
  const copying = { recursive: true, verbatimSymlinks: true, filter: isWanted };
  mkdirSync(target, { recursive: true });
  // Entry by entry: the copy lies in the project's own state folder, which is none of them.
  for (const name of readdirSync(root))
    if (isWanted(join(root, name))) cpSync(join(root, name), join(target, name), copying);
  return { withheld: [...withheld].sort(), packages: packageFolders(root) };
}

/**
 * Whether a build must not see what has this name, relative to the project: what the leak gate calls private, but for examples of
 * environment files, which are made to be read.
 */
export function isPrivate(path: string, isFolder: boolean): boolean {
  return privateKind(isFolder ? `${path}/` : path) !== undefined && (isFolder || !isExampleEnvironment(path));
}

/** Where Node looks for packages: the project's folder and those above it. */
export function packageFolders(root: string): string[] {
  const folders: string[] = [];
  for (let folder = root; ; folder = dirname(folder)) {
    const candidate = join(folder, "node_modules");
    if (existsSync(candidate)) folders.push(candidate);
    if (folder === dirname(folder)) return folders;
  }
}
