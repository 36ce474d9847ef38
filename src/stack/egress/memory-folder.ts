import {
  chownSync,
  closeSync,
  constants,
  fchownSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
} from "node:fs";
import { join } from "node:path";
import type { DomainUser } from "../processes/messages.ts";

/**
 * Makes the one folder that egress writes to, and gives it with its files to whoever egress is this time: another user, where the site was moved, or is
 * started with another isolation. Else what was taken of webhooks could not be read any more, and for minutes none would be taken.
 *
 * Who egress was before may have put anything there. Links are not followed, and a file that has a second name elsewhere is left as it is: what egress can't
 * read there it removes, and counts its memory as lost.
 */
export function makeMemoryFolder(folder: string, user: DomainUser = { uid: 0, gid: 0 }): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (process.getuid?.() !== 0) return;
  chownSync(folder, user.uid, user.gid);
  for (const name of readdirSync(folder)) giveFile(join(folder, name), user);
}

function giveFile(path: string, { uid, gid }: DomainUser): void {
  let fd: number | undefined;
  try {
    const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
    fd = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    const stats = fstatSync(fd);
    if (stats.isFile() && stats.nlink === 1 && stats.uid !== uid) fchownSync(fd, uid, gid);
  } catch {
    // A link, a socket, or gone meanwhile: egress finds out by itself.
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
