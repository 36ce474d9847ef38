import { watch } from "node:fs";
import { basename, sep } from "node:path";

/** What nobody edits there: state, packages, histories, what an editor remembers. */
const skipped: ReadonlySet<string> = new Set([
  ".curtainwall",
  "node_modules",
  ".git",
  ".hg",
  ".svn",
  ".jj",
  ".idea",
  ".vscode",
]);

/**
 * What programs write beside it: logs (this one's own output not least: following that would never end), and what editors keep of a file while
 * it is open, or try a folder with before they save in it.
 */
const beside =
  /\.log$|~$|^\.#|^#.*#$|\.sw[a-z]$|^4913$|\.te?mp$|\.part$|\.crdownload$|^\.DS_Store$|\.turn$|^\.\d+\.lock$/i;

/** Whether a file, relative to the project and with `/`, may be anything that somebody made. */
export const isWatched = (file: string): boolean =>
  !beside.test(basename(file)) && !file.split("/").some((part) => skipped.has(part));

/** Tells which files of a project were written, relative to it, with `/`; editors write one file several times, which is told together. */
export function watchProject(root: string, onChange: (files: readonly string[]) => void): () => void {
  const pending = new Set<string>();
  let timer: NodeJS.Timeout | undefined;
  const watcher = watch(root, { recursive: true }, (_, name) => {
    if (name === null) return;
    const file = name.split(sep).join("/");
    if (!isWatched(file)) return;
    pending.add(file);
    timer ??= setTimeout(() => {
      timer = undefined;
      const files = [...pending];
      pending.clear();
      onChange(files);
    }, settleMs);
  });
  return () => {
    clearTimeout(timer);
    watcher.close();
  };
}

/** Between the first and the last word of one writing. */
const settleMs = 10;
