import { lstatSync, readdirSync, realpathSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { isPrivate, packageFolders } from "../jail/work-copy.ts";

/** What a builder's jail hides of a project, and whether its user can read the rest. */
export interface ProjectView {
  /** Folders that are shown empty. */
  readonly hidden: readonly string[];
  /** Files that can't be opened. */
  readonly masked: readonly string[];
  /** What is kept from the builder, relative to the project. */
  readonly withheld: readonly string[];
  /** Whether every user may read what is shown. Else another one has to be given a copy. */
  readonly isOpen: boolean;
}

const othersRead = 0o004;
const othersEnter = 0o005;

/** Walks through a project, its packages and its output aside, for what a build must not see: keys, environment files, histories. */
export function viewProject(root: string): ProjectView {
  const hidden: string[] = [];
  const masked: string[] = [];
  let isOpen = (lstatSync(root).mode & othersEnter) === othersEnter;
  const nameOf = (path: string): string => relative(root, path).split(sep).join("/");
  const visit = (folder: string): void => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      const isFolder = entry.isDirectory();
      if (entry.name === "node_modules") continue;
      if (isPrivate(nameOf(path), isFolder) || !(isFolder || entry.isFile() || entry.isSymbolicLink())) {
        // A link is not followed into the jail, and what it leads to is not there; a socket or a device leads out of it.
        if (!entry.isSymbolicLink()) (isFolder ? hidden : masked).push(path);
        continue;
      }
      if (entry.isSymbolicLink()) continue;
      const needed = isFolder ? othersEnter : othersRead;
      isOpen &&= (lstatSync(path).mode & needed) === needed;
      if (isFolder) visit(path);
    }
  };
  visit(root);
  const withheld = [...hidden, ...masked]
    .filter((path) => path !== join(root, ".curtainwall"))
    .map(nameOf)
    .sort();
  return { hidden, masked, withheld, isOpen };
}

const isWithin = (path: string, folder: string): boolean => path === folder || path.startsWith(folder + sep);

/** Where packages that are links really lie: those of a workspace, or of `npm link`. Not the project itself, nor what it lies in. */
export function linkedPackages(root: string, folders: readonly string[]): string[] {
  const targets = new Set<string>();
  for (const folder of folders)
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.name.startsWith("@") && entry.isDirectory()) {
        for (const scoped of readdirSync(path, { withFileTypes: true }))
          if (scoped.isSymbolicLink()) addTarget(join(path, scoped.name));
      } else if (entry.isSymbolicLink()) addTarget(path);
    }
  return [...targets].filter(
    (target) =>
      !folders.some((folder) => isWithin(target, folder)) &&
      !isWithin(target, root) &&
      !isWithin(root, target),
  );

  function addTarget(path: string): void {
    let target;
    try {
      target = realpathSync(path);
    } catch {
      // It leads nowhere, outside the jail too.
      return;
    }
    // What it imports in turn lies beside it, or in the folders above it.
    const installed = `${sep}node_modules${sep}`;
    const inside = target.indexOf(installed);
    if (inside >= 0) targets.add(target.slice(0, inside + installed.length - 1));
    else for (const shown of [target, ...packageFolders(target)]) targets.add(shown);
  }
}
