import { lstatSync, mkdirSync } from "node:fs";
import { enableCompileCache } from "node:module";
import { dirname, join } from "node:path";
import type { RecordFiles } from "./build-record.ts";

/**
 * Lets Node keep compiled code from one build to the next, if nobody but this user can put other code there (decision 033): the site's state
 * folder, its cache and the place itself are plain folders of this user that others can't write to. A jailed template sees none of them.
 */
export function keepCompiled({ cache }: Pick<RecordFiles, "cache">): void {
  const uid = process.getuid?.();
  if (uid === undefined) return;
  const code = join(cache, "code");
  try {
    const isOurs = (path: string): boolean => {
      const stats = lstatSync(path);
      return stats.isDirectory() && stats.uid === uid && (stats.mode & 0o022) === 0;
    };
    // The first build has no state folder yet: it is not made here, before the contract was read.
    if (![dirname(cache), cache].every(isOurs)) return;
    mkdirSync(code, { recursive: true, mode: 0o700 });
    if (isOurs(code)) enableCompileCache(code);
  } catch {
    // A build without it takes longer, and that is all.
  }
}
