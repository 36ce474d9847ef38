import { withReporting } from "../contract/index.ts";
import type { Header } from "../contract/index.ts";
import type { HardenedFolder } from "../harden/node.ts";

/** A hardened site whose pages report their violations. Files that share their headers still do. */
export function reportingPages(hardened: HardenedFolder, to: string | undefined): HardenedFolder {
  if (to === undefined) return hardened;
  const changed = new Map<readonly Header[], readonly Header[]>();
  const reporting = (headers: readonly Header[]): readonly Header[] => {
    if (!isPage(headers)) return headers;
    const known = changed.get(headers) ?? withReporting(headers, to);
    changed.set(headers, known);
    return known;
  };
  return {
    ...hardened,
    files: hardened.files.map((file) => ({ ...file, headers: reporting(file.headers) })),
  };
}

const isPage = (headers: readonly Header[]): boolean =>
  headers.some(
    ([name, value]) => name === "content-type" && /^(?:text\/html|application\/xhtml)/.test(value),
  );
