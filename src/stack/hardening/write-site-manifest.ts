import { closeSync, existsSync, openSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { Header } from "../../contract/index.ts";
import type { HardenedFolder } from "../../harden/node.ts";

/** Marks a folder as one that this command made, and so may replace. */
const manifestName = "curtainwall-site.json";
const manifestFormat = "curtainwall-site 1";

/** Whether a folder is one that hardening made. */
export const isHardened = (folder: string): boolean => headOf(folder) !== undefined;

/** What of a hardened folder only the site before had. */
export function formerBlobs(folder: string): readonly string[] {
  const names = headOf(folder)?.["formerBlobs"];
  return Array.isArray(names) ? names.map(String) : [];
}

/** The manifest's first line, which says what it is. */
function headOf(folder: string): Readonly<Record<string, unknown>> | undefined {
  const file = join(folder, manifestName);
  const [line = ""] = existsSync(file) ? readFileSync(file, "utf8").split("\n", 1) : [];
  if (!line.includes(manifestFormat)) return undefined;
  try {
    return JSON.parse(`${line.replace(/,$/, "")}}`) as Record<string, unknown>;
  } catch {
    // Damaged, and ours all the same.
    return {};
  }
}

/**
 * Writes every address with its digest and headers, an entry a line. Pages share most of their headers: each set stands there once.
 * Line by line, since all of it at once would be the largest thing in memory.
 */
export function writeManifest(
  folder: string,
  { files, notFound }: HardenedFolder,
  more: { readonly origin: string | undefined; readonly formerBlobs: readonly string[] },
): void {
  const sets = new Map<readonly Header[], number>();
  for (const { headers } of files) if (!sets.has(headers)) sets.set(headers, sets.size);
  const fd = openSync(join(folder, manifestName), "w");
  try {
    const head = JSON.stringify({ format: manifestFormat, ...more, notFound }).slice(0, -1);
    writeSync(fd, `${head},\n"headerSets":[`);
    writeEach(fd, sets.keys(), (headers) => headers);
    writeSync(fd, '],\n"files":[');
    writeEach(fd, files, ({ path, source, sha256, bytes, headers }) => ({
      path,
      source,
      sha256,
      bytes,
      headers: sets.get(headers),
    }));
    writeSync(fd, "]}\n");
  } finally {
    closeSync(fd);
  }
}

function writeEach<T>(fd: number, list: Iterable<T>, entry: (value: T) => unknown): void {
  let separator = "\n";
  for (const value of list) {
    writeSync(fd, separator + JSON.stringify(entry(value)));
    separator = ",\n";
  }
}
