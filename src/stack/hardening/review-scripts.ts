import { isUtf8 } from "node:buffer";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { record } from "../../harden/index.ts";
import type { Review } from "../../harden/index.ts";
import type { HardenedFile } from "../../harden/node.ts";
import type { HardenSiteOptions } from "./harden-site.ts";
import { assertApproved } from "../lock/site-lock.ts";
import { updateLock } from "../lock/update-lock.ts";

/**
 * Compares the scripts with the lock.
 *
 * @throws {CurtainwallError} `HARDEN_SCRIPT_UNAPPROVED`
 */
export function reviewScripts(
  { folder, lock, plan }: Pick<HardenSiteOptions, "folder" | "lock" | "plan">,
  files: readonly HardenedFile[],
  blobs: string,
): Review | undefined {
  if (lock === undefined) return undefined;
  const review = lock.open.provenance.finish(scriptReader(files, blobs));
  if (plan === true) return review;
  assertApproved(review, { folder, frozen: lock.frozen, words: lock.words });
  // What a first run found is what later ones are compared with.
  if (!lock.frozen && review.firstRun && review.added.length > 0)
    updateLock(lock.open.file, (now) => record(now, review, lock.day));
  return review;
}

/** Reads the scripts of a hardened folder by their paths, in the charset that they are sent with. */
export function scriptReader(files: readonly HardenedFile[], blobs: string): (path: string) => string {
  const digests = new Map(files.map(({ path, sha256 }) => [path, sha256]));
  return (path) => {
    const bytes = readFileSync(join(blobs, digests.get(path) ?? ""));
    return new TextDecoder(isUtf8(bytes) ? "utf-8" : "windows-1252").decode(bytes);
  };
}
