import { createHash } from "node:crypto";
import { inspectScript } from "../inspect-script.ts";
import type { ScriptFacts } from "../inspect-script.ts";
import { inspectStyle } from "../inspect-style.ts";
import type { StyleFacts } from "../inspect-style.ts";
import { scriptNames } from "../script-names.ts";
import type { ScriptNames } from "../script-names.ts";
import type { SiteFileView, SiteView } from "../site-view.ts";
import { readUnchanged } from "./read-file.ts";
import type { ListedFile } from "./walk.ts";

/** Signs by which bundlers' loaders are known: webpack, Turbopack, Parcel, RequireJS. */
const loaderSigns = /\bwebpackChunk|__webpack_require__|\bTURBOPACK\b|\bparcelRequire|\bvar requirejs\b/;

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
    const view = createFileView(listed, (text) => scriptsNamedIn(text));
    views.set(listed.path, view);
    return view;
  };
  const scriptsNamedIn = (text: string): readonly SiteFileView[] =>
    names.in(text).flatMap((path) => find(path) ?? []);
  return { origin, hash: hashOf, find, scriptsNamedIn };
}

function createFileView(file: ListedFile, namedIn: (text: string) => readonly SiteFileView[]): SiteFileView {
  let hash: string | undefined;
  let script: ScriptFacts | undefined;
  let style: StyleFacts | undefined;
  let named: readonly SiteFileView[] | undefined;
  let loader: boolean | undefined;
  // Read again for each question, of which there are few: a site's scripts together would fill the memory.
  const text = (): string => new TextDecoder().decode(readUnchanged(file));
  return {
    path: file.path,
    hash: () => (hash ??= hashOf(readUnchanged(file))),
    script: () => (script ??= inspectScript(text(), false)),
    stylesheet: () => (style ??= inspectStyle(text())),
    scriptsNamed: () => (named ??= namedIn(text())),
    isBundlerLoader: () => (loader ??= loaderSigns.test(text())),
  };
}

/** Base64 of SHA-256. */
function hashOf(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("base64");
}
