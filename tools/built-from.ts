// Keeps of which sources `dist` was made, so that no test runs what was made of others.
import { createHash } from "node:crypto";
import { existsSync, globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** What decides about `dist`; the packages that are bundled are those that the lock file names. */
const sources: readonly string[] = [
  "src/**/*.{ts,tsx}",
  "tools/{build,bundle}*.ts",
  "tsconfig*.json",
  "package{,-lock}.json",
];
const built: readonly string[] = ["dist/**/*.*"];
const isTest = (name: string): boolean => /\.test\.tsx?$|(?:^|\/)fixtures$/.test(name);

/** Beside `dist`, not in it, where it would be published. */
const recordOf = (root: string): string => join(root, ".curtainwall", "built-from");

/** A digest of the sources as they are now: asked for before the build, so that a change meanwhile is one after it. */
export const sourcesNow = (root: string): string => digest(root, sources);

/** Notes that `dist`, as it is now, was made of these sources. */
export function recordBuild(root: string, made: string): void {
  writeFileSync(recordOf(root), `${made}\n${digest(root, built)}\n`);
}

/** Whether `dist` is what the build made, byte for byte, of the sources as they are now. Times of files say less: copies keep those of the original. */
export function isBuilt(root: string): boolean {
  const file = recordOf(root);
  if (!existsSync(file)) return false;
  return readFileSync(file, "utf8") === `${sourcesNow(root)}\n${digest(root, built)}\n`;
}

/** Of names and bytes. */
function digest(root: string, patterns: readonly string[]): string {
  const hash = createHash("sha256");
  for (const name of globSync(patterns, { cwd: root, exclude: isTest }).sort()) {
    const bytes = readFileSync(join(root, name));
    hash.update(`${name}\0${bytes.length}\0`).update(bytes);
  }
  return hash.digest("hex");
}
