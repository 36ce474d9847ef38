import { readdirSync } from "node:fs";
import { join } from "node:path";
import { stackFolders } from "../../stack/index.ts";
import { lookAt } from "./build-record.ts";
import type { LookOptions, Place } from "./build-record.ts";

/** Not the site's sources: packages have versions, the state folder is written by builds, and histories by Git. */
export const skipped: ReadonlySet<string> = new Set(["node_modules", ".curtainwall", ".git"]);
/** More than this is not watched. */
const maxPlaces = 200_000;

/** What builds write: releases, and the keys and numbers that they are signed with. */
export function lookAtOutput(root: string, options: LookOptions): Place[] {
  const { releases, keys, acceptedFile, programFile } = stackFolders(root);
  // Written under the name of what is in them, so that their times will do. What else comes there is a new name in the list.
  const settled = { began: Number.POSITIVE_INFINITY };
  const files = [releases, keys].flatMap((folder) => lookAround(folder, settled));
  const lists = [releases, keys, acceptedFile, programFile].map((path) => lookAt(path, options));
  return [...files, ...lists];
}

/** Notes what is at and below a path. @throws {RangeError} when that is too much */
export function lookAround(
  root: string,
  options: LookOptions,
  isWanted: (name: string) => boolean = () => true,
): Place[] {
  const places = [lookAt(root, options)];
  const pending = places[0]?.length === 1 ? [] : [root];
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (skipped.has(entry.name) || !(entry.isDirectory() || isWanted(entry.name))) continue;
      const path = join(folder, entry.name);
      places.push(lookAt(path, options));
      if (entry.isDirectory()) pending.push(path);
      if (places.length > maxPlaces) throw new RangeError("too much to watch");
    }
  }
  return places;
}
