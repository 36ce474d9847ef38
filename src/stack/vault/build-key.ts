import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { writeWhole } from "../../release/node.ts";
import { makeStateFolder } from "../folders.ts";
import type { StackFolders } from "../folders.ts";

/**
 * Where the key lies that a build's notes to the next are sealed with. The release key's file, where that is: who can't sign can't
 * forge notes either. A site whose release key is in the vault has one of its own.
 */
export function buildKeyFile({
  keys,
  releaseKeyFile,
}: Pick<StackFolders, "keys" | "releaseKeyFile">): string {
  const own = join(keys, "build.key");
  return existsSync(own) ? own : releaseKeyFile;
}

/** Makes the key that a build's notes are sealed with, where the release key is in the vault. */
export function keepBuildKey(folders: StackFolders): void {
  const file = join(folders.keys, "build.key");
  if (existsSync(file)) return;
  makeStateFolder(folders);
  writeWhole(file, Buffer.from(randomBytes(32).toString("hex")), 0o600);
}
