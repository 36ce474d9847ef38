import { hash } from "node:crypto";
import { readdirSync, statSync } from "node:fs";
import { join, sep } from "node:path";

/**
 * Names the code that builds, and the machine's settings that templates see through dates and numbers. A cache that other code wrote
 * is not read.
 */
export function codeStamp(): string {
  const { locale, timeZone } = Intl.DateTimeFormat().resolvedOptions();
  const installed = packages.map((name) => import.meta.resolve(name));
  return hash("sha256", [process.version, locale, timeZone, ...installed, ...ownCode()].join("\n"));
}

const packages = [
  "markdown-it",
  "preact",
  "preact-render-to-string",
  "esbuild",
  "lowlight",
  "hast-util-sanitize",
];

const room = join(import.meta.dirname, "..");

/** The sources where somebody works on them. What was installed changes with its version alone: its package.json is written anew. */
function ownCode(): string[] {
  const isInstalled = room.split(sep).includes("node_modules");
  const files = isInstalled
    ? [join(room, "..", "..", "package.json")]
    : ["site", "harden", "html", "contract", "shared"].flatMap(sourcesOf);
  return files.map((file) => {
    const { size, mtimeMs, ino } = statSync(file);
    return `${file} ${size} ${mtimeMs} ${ino}`;
  });
}

function sourcesOf(name: string): string[] {
  const folder = join(room, "..", name);
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.[jt]sx?$/.test(entry.name) && !entry.name.includes(".test."))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
