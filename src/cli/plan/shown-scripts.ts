import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { PendingScript, Review } from "../../harden/index.ts";
import { writeWhole } from "../../release/node.ts";
import { makeStateFolder, stackFolders } from "../../stack/index.ts";

// What a plan showed, by digests in full: an approval names scripts by the few digits on the screen, and is only worth something
// if what it lets in is what somebody saw there.

const format = 1;

/** Ids of a site's scripts that awaited approval when they were last shown; undefined when that is not known. */
export function readShown(lockFile: string, site: string): string[] | undefined {
  const ids = readAll(lockFile)[site];
  return Array.isArray(ids) && ids.every((id) => typeof id === "string") ? ids : undefined;
}

/** Remembers beside the lock what a list has shown: all that awaits approval. Tells whether it could. */
export function rememberShown(lockFile: string, { site, added, unreviewed }: Review): boolean {
  return write(lockFile, site, [...added, ...unreviewed].map(idOf));
}

/** Remembers that these were shown too. What no longer awaits approval is forgotten. */
export function rememberAlsoShown(
  lockFile: string,
  { site, added, unreviewed }: Review,
  scripts: readonly PendingScript[],
): boolean {
  const before = readShown(lockFile, site) ?? [];
  const waiting = [...added, ...unreviewed].map(idOf);
  const looked = new Set([...before, ...scripts.map(idOf)]);
  return write(
    lockFile,
    site,
    waiting.filter((id) => looked.has(id)),
  );
}

const idOf = ({ id }: PendingScript): string => id;

/** Where the folder can't be written, approvals take ids in full: that is no reason to show nothing. */
function write(lockFile: string, site: string, ids: readonly string[]): boolean {
  const folders = stackFolders(dirname(resolve(lockFile)));
  const sites = { ...readAll(lockFile), [site]: ids };
  try {
    makeStateFolder(folders);
    writeWhole(fileOf(lockFile), Buffer.from(`${JSON.stringify({ format, sites })}\n`), 0o600);
    return true;
  } catch {
    return false;
  }
}

const fileOf = (lockFile: string): string => join(dirname(resolve(lockFile)), ".curtainwall", "shown.json");

/** A file that is missing or garbled says nothing: names must then be given in full. */
function readAll(lockFile: string): Readonly<Record<string, unknown>> {
  try {
    const found = JSON.parse(readFileSync(fileOf(lockFile), "utf8")) as { format?: unknown; sites?: unknown };
    return found.format === format && typeof found.sites === "object"
      ? (found.sites as Record<string, unknown>)
      : {};
  } catch {
    return {};
  }
}
