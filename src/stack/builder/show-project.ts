import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { removeTree } from "../jail/clear-tree.ts";
import type { JailView } from "../jail/jail-arguments.ts";
import { giveTo, workFolder } from "../jail/run-jailed.ts";
import { copyProject } from "../jail/work-copy.ts";
import { viewProject } from "./project-view.ts";

/** What a builder sees of a project. */
export interface ShownProject {
  readonly view: Pick<JailView, "copy" | "isReadOnly" | "hidden" | "masked" | "writable">;
  readonly remove: () => void;
}

/** Shows the project itself, read-only; to another user who could not read all of it, a copy. */
export function showProject(root: string, cacheFolder: string, uid: number | undefined): ShownProject {
  const { hidden, masked, isOpen } = viewProject(root);
  if (uid === undefined || isOpen)
    return {
      view: { copy: root, isReadOnly: true, hidden, masked, writable: [cacheFolder] },
      remove: () => {},
    };
  const work = workFolder(join(root, ".curtainwall"));
  const copy = join(work, "project");
  copyProject(root, copy, ".curtainwall");
  mkdirSync(join(copy, ".curtainwall", "cache", "site"), { recursive: true });
  giveTo(copy, uid);
  chmodSync(copy, 0o755);
  return {
    view: { copy, isReadOnly: false, writable: [cacheFolder] },
    remove: () => removeTree(work),
  };
}
