import { lchownSync, lstatSync, realpathSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { CurtainwallError } from "../../shared/index.ts";
import type { StackErrorCode } from "../errors.ts";
import type { StackFolders } from "../folders.ts";
import { domainUser, isDomainUser } from "../isolation/isolation.ts";
import type { DomainUser } from "../processes/messages.ts";

/** A site may be started with another isolation than before: what is the vault's follows. Links in its place are not followed. */
export function giveStore(file: string, { uid, gid }: DomainUser): void {
  for (const path of partsOf(file)) {
    const stats = lstatSync(path, { throwIfNoEntry: false });
    if (stats !== undefined && stats.uid !== uid) lchownSync(path, uid, gid);
  }
}

/**
 * Refuses a store of somebody else's stack: it is not taken away from it, and not even root means to, who only put `sudo` before a command. One that
 * belongs to a vault of ours for another folder came here with its site, moved or copied, and is this site's.
 *
 * @throws {CurtainwallError} `STACK_STATE_FOREIGN`
 */
export function assertOwnStore(file: string, { root }: Pick<StackFolders, "root">): void {
  const folder = dirname(file);
  const owner = lstatSync(folder, { throwIfNoEntry: false })?.uid;
  const own = process.getuid?.();
  const ours = own === 0 ? [0, domainUser("vault", root).uid] : [own];
  if (owner === undefined || own === undefined || ours.includes(owner)) return;
  const shown = relative(root, folder);
  if (!isDomainUser(owner, "vault"))
    throw new CurtainwallError<StackErrorCode>(
      "STACK_STATE_FOREIGN",
      `${shown} belongs to another user, whose stack could not open its vault any more.`,
      {
        hint: `Run this as that user: uid ${owner}. Or take over what it left:  sudo chown -R $(id -u):$(id -g) ${folder}`,
      },
    );
  if (own !== 0)
    throw new CurtainwallError<StackErrorCode>(
      "STACK_STATE_FOREIGN",
      `${shown} belongs to the vault of a stack that root started, here or before this folder was moved.`,
      {
        hint: `Go on as root, which takes it over, or take it over yourself:  sudo chown -R $(id -u):$(id -g) ${folder}`,
      },
    );
  const elsewhere = partsOf(file).find((path) => isElsewhereToo(path));
  if (elsewhere === undefined && realpathSync(folder) === join(realpathSync(root), shown)) return;
  throw new CurtainwallError<StackErrorCode>(
    "STACK_STATE_FOREIGN",
    `${relative(root, elsewhere ?? folder)} is the vault's of another folder too, by a link: taken over here, it would be taken away there.`,
    { hint: "Copy the site anew, with its files and not links to them:  cp -aL OLD NEW" },
  );
}

const partsOf = (file: string): string[] => [dirname(file), file, `${file}-wal`, `${file}-shm`];

/** A file with a second name, or a link in a file's place. */
function isElsewhereToo(path: string): boolean {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined || stats.isDirectory()) return false;
  return !stats.isFile() || stats.nlink > 1;
}
