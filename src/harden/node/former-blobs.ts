import { copyFileSync, existsSync, linkSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { written } from "./blob-store.ts";

/** Equal bytes lie on the disk once, where the file system knows links. */
export function linkOrCopy(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch {
    written(() => copyFileSync(from, to));
  }
}

/**
 * Keeps what only the site before had: a server reads its configuration when it is told to, and until then looks for those bytes where they
 * were. No address of the new site leads to them. They stay until the next change, and are gone after that.
 *
 * @param fresh the folder that {@link replaceFolder} will put in place
 * @param place where it will be put
 * @param known what the site there already kept of the one before it
 * @returns the names of what is kept
 */
export function keepFormerBlobs(fresh: string, place: string, known: readonly string[]): readonly string[] {
  const [from, to] = [join(place, "blobs"), join(fresh, "blobs")];
  if (!existsSync(from) || !existsSync(to)) return [];
  const current = new Set(readdirSync(to));
  const gone = readdirSync(from, { withFileTypes: true })
    .filter((entry) => entry.isFile() && !current.has(entry.name))
    .map(({ name }) => name);
  const justGone = gone.filter((name) => !known.includes(name));
  // A run that changed nothing is no reason to take away what a server may still look for.
  const former = justGone.length > 0 ? justGone : gone;
  for (const name of former) linkOrCopy(join(from, name), join(to, name));
  return former;
}
