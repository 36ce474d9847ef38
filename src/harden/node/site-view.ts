import { hash } from "node:crypto";
import { createRecent } from "../../html/index.ts";
import { createFileView } from "../site/file-view.ts";
import { scriptNames } from "../inspect/script-names.ts";
import type { ScriptNames } from "../inspect/script-names.ts";
import type { SiteFileView, SiteView } from "../site/site-view.ts";
import { readUnchanged } from "./read-file.ts";
import type { ListedFile } from "./walk.ts";

/** Creates the view of a site whose files lie on disk. Files are read when they are asked about, and what was found out is kept. */
export function createDiskView(files: readonly ListedFile[], origin: string | undefined): SiteView {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const views = new Map<string, SiteFileView>();
  const names: ScriptNames = scriptNames(files.map(({ path }) => path));
  const find = (path: string): SiteFileView | undefined => {
    const listed =
      byPath.get(path) ?? byPath.get(path.endsWith("/") ? `${path}index.html` : `${path}/index.html`);
    if (listed === undefined) return undefined;
    const known = views.get(listed.path);
    if (known !== undefined) return known;
    // Read again for each question: a site's scripts together would fill the memory.
    const read = (): Buffer => readUnchanged(listed);
    const view = createFileView(
      {
        path: listed.path,
        hash: () => hashOf(read()),
        digest: (algorithm) => hash(algorithm, read(), "base64"),
        text: () => new TextDecoder().decode(read()),
      },
      (text) => scriptsNamedIn(text),
    );
    views.set(listed.path, view);
    return view;
  };
  const scriptsNamedIn = (text: string): readonly SiteFileView[] =>
    names.in(text).flatMap((path) => find(path) ?? []);
  return { origin, hash: hashOfText, find, scriptsNamedIn };
}

/** Base64 of SHA-256. */
const hashOf = (data: string | Uint8Array): string => hash("sha256", data, "base64");

/** Hashes remembered: pages of a site repeat most of their inline scripts and styles. */
const remembered = createRecent<string>(256);
/** In characters. Longer ones would fill the memory. */
const maxRememberedLength = 50_000;

const hashOfText = (text: string): string =>
  text.length > maxRememberedLength ? hashOf(text) : remembered.get(text, hashOf);
