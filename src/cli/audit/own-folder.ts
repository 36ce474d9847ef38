import { lstatSync, mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * A folder on this machine that is the same for all commands of this user, and where nobody else can make or open anything. Undefined where there is
 * none: the system does not tell users apart, or somebody else took the name.
 */
export function ownFolder(temporary = tmpdir()): string | undefined {
  const user = process.getuid?.();
  if (user === undefined) return undefined;
  // The first is there while the user has a session.
  return [`/run/user/${user}`, join(temporary, `curtainwall-${user}`)].find((folder, index) => {
    if (index > 0) make(folder);
    return isPrivate(folder, user);
  });
}

function make(folder: string): void {
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch {
    // There already, or not to be made: what is there is looked at next.
  }
}

/** Whether a folder, and no link to one, is this user's and closed to others. Anybody may make a name in the folder for temporary files. */
function isPrivate(folder: string, user: number): boolean {
  try {
    const stats = lstatSync(folder);
    return stats.isDirectory() && stats.uid === user && (stats.mode & 0o077) === 0;
  } catch {
    return false;
  }
}
