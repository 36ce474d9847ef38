import type { DomainUser } from "../processes/messages.ts";

/**
 * Gives up root for good, in all threads at once. Load everything first: afterwards files may be out of reach, and since the
 * change forbids this process to be dumped, even others of the same user can't read its memory.
 */
export function becomeUser(user: DomainUser | undefined): void {
  if (user === undefined) return;
  process.setgroups?.([]);
  process.setgid?.(user.gid);
  process.setuid?.(user.uid);
  if (process.getuid?.() !== user.uid || process.geteuid?.() !== user.uid)
    throw new Error("the change of user did not take effect");
}
