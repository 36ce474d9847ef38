import { hash } from "node:crypto";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

/**
 * Names the code that builds, and the machine's settings that templates see through dates and numbers. A cache that other code wrote
 * is not read.
 */
export function codeStamp(): string {
  const room = join(import.meta.dirname, "..");
  const shared = ["harden", "html", "contract", "shared"].map((name) => join(room, "..", name));
  const files = [room, ...shared].flatMap((folder) =>
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && /\.[jt]s$/.test(entry.name) && !entry.name.includes(".test."))
      .map((entry) => join(entry.parentPath, entry.name)),
  );
  const packages = [
    "markdown-it",
    "preact",
    "preact-render-to-string",
    "esbuild",
    "lowlight",
    "hast-util-sanitize",
    "css-tree",
  ];
  const code = files.sort().map((file) => {
    const { size, mtimeMs } = statSync(file);
    return `${file} ${size} ${mtimeMs}`;
  });
  const { locale, timeZone } = Intl.DateTimeFormat().resolvedOptions();
  const installed = packages.map((name) => import.meta.resolve(name));
  return hash("sha256", [process.version, locale, timeZone, ...installed, ...code].join("\n"));
}
