import { inspectScript } from "../inspect/inspect-script.ts";
import type { ScriptFacts } from "../inspect/inspect-script.ts";
import { inspectStyle } from "../inspect/inspect-style.ts";
import type { StyleFacts } from "../inspect/inspect-style.ts";
import type { Digest, SiteFileView } from "./site-view.ts";

/** Where a file's bytes come from. */
export interface FileSource {
  /** Its address: an absolute path, decoded. */
  readonly path: string;
  /** Base64 of the SHA-256 of its bytes. */
  hash(): string;
  /** Base64 of another digest of its bytes. Default: that can't be told, and its `integrity` is not checked. */
  digest?(algorithm: Digest): string;
  /** Its bytes as UTF-8. Asked for again for each question, of which there are few. */
  text(): string;
}

/** Signs by which bundlers' loaders are known: webpack, Turbopack, Parcel, RequireJS. */
const loaderSigns = /\bwebpackChunk|__webpack_require__|\bTURBOPACK\b|\bparcelRequire|\bvar requirejs\b/;

/**
 * Creates the view of a file: what it does is found out when it is asked for, once.
 *
 * @param scriptsNamedIn the scripts of the site that a text names
 */
export function createFileView(
  { path, hash, digest, text }: FileSource,
  scriptsNamedIn: (text: string) => readonly SiteFileView[],
): SiteFileView {
  let sha256: string | undefined;
  const digests = new Map<Digest, string | undefined>();
  let script: ScriptFacts | undefined;
  let style: StyleFacts | undefined;
  let named: readonly SiteFileView[] | undefined;
  let loader: boolean | undefined;
  return {
    path,
    hash: () => (sha256 ??= hash()),
    digest(algorithm) {
      const known = digests.get(algorithm) ?? (algorithm === "sha256" ? hash() : digest?.(algorithm));
      digests.set(algorithm, known);
      return known;
    },
    script: () => (script ??= inspectScript(text(), false)),
    stylesheet: () => (style ??= inspectStyle(text())),
    scriptsNamed: () => (named ??= scriptsNamedIn(text())),
    isBundlerLoader: () => (loader ??= loaderSigns.test(text())),
  };
}
