import { lstatSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { StackFolders } from "../folders.ts";
import type { Isolation } from "../isolation/isolation.ts";

/**
 * A folder in which Node keeps compiled code from one start to the next, or undefined where none can be trusted. What lies there runs
 * as the domains before they give up their rights, so nobody but this user may be able to write to it or to put another in its place.
 * A domain that has become another user can't write there; in a sandbox it would not even see it.
 */
export function codeCacheFolder({ state }: StackFolders, isolation: Isolation): string | undefined {
  const uid = process.getuid?.();
  if (uid === undefined || isolation === "bwrap") return undefined;
  const folder = join(state, "code");
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  const isOurs = [state, folder].every((path) => {
    const stats = lstatSync(path);
    return stats.isDirectory() && stats.uid === uid && (stats.mode & 0o022) === 0;
  });
  return isOurs ? folder : undefined;
}
