import { admitForeign, admitOwn } from "./admit-script.ts";
import type { DocumentDraft } from "./draft.ts";
import { hashSource } from "./draft.ts";
import { addressOf, isRecord, readNames } from "./import-names.ts";
import type { ImportNames, NameMap } from "./import-names.ts";
import { integrityHashes } from "./integrity.ts";

/** A document's import map: how it resolves names, and where the integrity of modules is written. */
export interface ImportMap extends ImportNames {
  /** The page has one of its own. */
  readonly exists: boolean;
  /** The hashes by which the page's map pins a module of another site; undefined if it does not. */
  integrityOf(url: URL): string | undefined;
  /** Writes the hashes of modules, by their path and query, and allows the map itself. */
  write(integrity: ReadonlyMap<string, string>): void;
}

interface ParsedMap extends NameMap {
  readonly value: Readonly<Record<string, unknown>>;
  /** What it says about `integrity`, as written. */
  readonly integrity: readonly (readonly [name: string, value: string])[];
}

/**
 * Reads the import maps of a document. Older browsers know no second one, so the hashes are written into the first, or into one of our
 * own if there is none. Of the map's own `integrity` its author's word counts for other sites only: files of this site are here.
 *
 * @see HTML §8.1.5.6 (import maps)
 */
export function createImportMap(draft: DocumentDraft): ImportMap {
  const { page, facts, addresses } = draft;
  const [first, ...others] = facts.scripts.filter(
    ({ type, src }) => type === "importmap" && src === undefined,
  );
  for (const script of first === undefined ? [] : [first, ...others])
    page.scripts.push({
      kind: "inline",
      hash: page.view.hash(script.text),
      text: script.text,
      type: "importmap",
    });
  for (const script of others) allowText(draft, script.text);
  const own = parseMap(first?.text);
  const maps = [own, ...others.map(({ text }) => parseMap(text))].filter((map) => map !== undefined);
  // It may map the page's own address.
  if (first !== undefined) page.own.counted = true;
  const names = readNames(maps, addresses.base);
  const theirs = own === undefined ? [] : readIntegrity(draft, own);
  const pinned = new Map(theirs.map(({ url, hashes }) => [url.href, hashes]));

  return {
    exists: first !== undefined,
    resolve: names.resolve,
    integrityOf: ({ href }) => pinned.get(href),
    write(modules) {
      const entries = sorted(modules);
      if (first === undefined) {
        if (modules.size > 0) addMap(draft, entries);
        return;
      }
      if (own === undefined || (modules.size === 0 && own.integrity.length === 0)) {
        if (modules.size === 0) allowText(draft, first.text);
        return;
      }
      for (const { url, name, hashes } of theirs) {
        const file = url.path === undefined ? undefined : page.view.find(url.path);
        if (hashes !== undefined && url.path === undefined) {
          admitForeign(page, new URL(url.href), hashes);
          entries[name] = hashes;
        } else if (file !== undefined && url.path !== undefined && !modules.has(url.key))
          entries[name] = `sha256-${admitOwn(page, url.path, file)}`;
      }
      const text = toScript({ ...own.value, integrity: entries });
      draft.edits.push({ span: first.content, replacement: text });
      allowText(draft, text, false);
    },
  };
}

const sorted = (integrity: ReadonlyMap<string, string>): Record<string, string> =>
  Object.fromEntries([...integrity].sort(([left], [right]) => (left < right ? -1 : 1)));

/** A module that an import map names in its `integrity`. */
interface PinnedModule {
  /** As written. */
  readonly name: string;
  readonly url: {
    readonly href: string;
    /** Of one of the site: its path, decoded, and how modules are told apart. */
    readonly path?: string;
    readonly key: string;
  };
  readonly hashes: string | undefined;
}

function readIntegrity(draft: DocumentDraft, { integrity }: ParsedMap): PinnedModule[] {
  return integrity.flatMap(([name, value]) => {
    const href = addressOf(name, draft.addresses.base)?.href;
    const target = href === undefined ? undefined : draft.addresses.resolve(href);
    if (target === undefined || target.kind === "opaque") return [];
    const { url } = target;
    const hashes = integrityHashes(value).join(" ");
    return {
      name,
      hashes: hashes === "" ? undefined : hashes,
      url: {
        href: url.href,
        key: url.pathname + url.search,
        ...(target.kind === "site" ? { path: target.path } : {}),
      },
    };
  });
}

function addMap(draft: DocumentDraft, integrity: Readonly<Record<string, string>>): void {
  const text = toScript({ integrity });
  const namespace = draft.page.syntax === "xml" ? ' xmlns="http://www.w3.org/1999/xhtml"' : "";
  draft.headStart.push(`<script${namespace} type="importmap">${text}</script>`);
  allowText(draft, text, false);
}

/** JSON that can stand inside a script element. */
const toScript = (value: unknown): string =>
  JSON.stringify(value).replaceAll("<", "\\u003c").replaceAll("&", "\\u0026");

function allowText({ page }: DocumentDraft, text: string, fromPage = true): void {
  const hash = page.view.hash(text);
  page.policy.allow("script-src", hashSource(hash));
  if (fromPage) page.count.inlineScripts++;
}

function parseMap(text: string | undefined): ParsedMap | undefined {
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    if (!isRecord(value)) return undefined;
    return {
      value,
      imports: recordIn(value["imports"]),
      scopes: recordIn(value["scopes"]),
      integrity: Object.entries(recordIn(value["integrity"])).filter(
        (entry): entry is [string, string] => typeof entry[1] === "string",
      ),
    };
  } catch {
    // A browser ignores a map that is no JSON.
    return undefined;
  }
}

const recordIn = (value: unknown): Record<string, unknown> => (isRecord(value) ? value : {});
