import type { DocumentDraft } from "./draft.ts";
import { hashSource } from "./draft.ts";

/** A document's import map: how it resolves names, and where the integrity of modules is written. */
export interface ImportMap {
  /** The page has one of its own. */
  readonly exists: boolean;
  /** Undefined for a bare name that the map does not know, which no browser resolves either. */
  resolve(specifier: string, from: URL): URL | undefined;
  /** Writes the hashes of modules, by their path, and allows the map itself. */
  write(integrity: ReadonlyMap<string, string>): void;
}

type Names = ReadonlyMap<string, string>;

interface ParsedMap {
  readonly value: Record<string, unknown>;
  readonly imports: Names;
  readonly scopes: ReadonlyMap<string, Names>;
}

/**
 * Reads the first import map of a document. Older browsers know no second one, so the hashes are written into it, or into one of our
 * own if there is none.
 *
 * @see HTML §8.1.5.5 (resolving module specifiers), §8.1.5.6 (import maps)
 */
export function createImportMap(draft: DocumentDraft): ImportMap {
  const { page, facts, addresses } = draft;
  const [first, ...others] = facts.scripts.filter(
    ({ type, src }) => type === "importmap" && src === undefined,
  );
  const maps = [first, ...others].flatMap((script) => parseMap(script?.text) ?? []);
  const own = parseMap(first?.text);
  for (const script of [first, ...others])
    if (script !== undefined)
      page.scripts.push({
        kind: "inline",
        hash: page.view.hash(script.text),
        text: script.text,
        type: "importmap",
      });
  for (const script of others) allowText(draft, script.text);

  return {
    exists: first !== undefined,
    resolve(specifier, from) {
      const asAddress = /^\.{0,2}\//.test(specifier) ? URL.parse(specifier, from) : URL.parse(specifier);
      const key = asAddress?.href ?? specifier;
      for (const { imports, scopes } of maps) {
        const inner = [...scopes]
          .filter(([scope]) => isInside(from, URL.parse(scope, addresses.base)))
          .sort(([left], [right]) => right.length - left.length)
          .map(([, names]) => names);
        for (const names of [...inner, imports]) {
          const mapped = lookUp(names, specifier) ?? lookUp(names, key);
          if (mapped !== undefined) return URL.parse(mapped, addresses.base) ?? undefined;
        }
      }
      return asAddress ?? undefined;
    },
    write(integrity) {
      if (integrity.size === 0) {
        if (first !== undefined) allowText(draft, first.text);
        return;
      }
      const entries = Object.fromEntries([...integrity].sort(([left], [right]) => (left < right ? -1 : 1)));
      if (first === undefined) {
        const text = toScript({ integrity: entries });
        const namespace = page.syntax === "xml" ? ' xmlns="http://www.w3.org/1999/xhtml"' : "";
        draft.headStart.push(`<script${namespace} type="importmap">${text}</script>`);
        allowText(draft, text, false);
      } else if (own !== undefined) {
        const theirs = own.value["integrity"];
        const merged = { ...entries, ...(isRecord(theirs) ? theirs : {}) };
        const text = toScript({ ...own.value, integrity: merged });
        draft.edits.push({ span: first.content, replacement: text });
        for (const value of Object.values(merged))
          if (typeof value === "string")
            page.policy.allow("script-src", ...value.split(/\s+/).map((hash) => `'${hash}'`));
        allowText(draft, text, false);
      }
    },
  };
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
    const scopes = isRecord(value["scopes"]) ? value["scopes"] : {};
    return {
      value,
      imports: namesIn(value["imports"]),
      scopes: new Map(Object.entries(scopes).map(([scope, names]) => [scope, namesIn(names)])),
    };
  } catch {
    // A browser ignores a map that is no JSON.
    return undefined;
  }
}

function namesIn(value: unknown): Names {
  if (!isRecord(value)) return new Map();
  return new Map(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );
}

function lookUp(names: Names, specifier: string): string | undefined {
  const exact = names.get(specifier);
  if (exact !== undefined) return exact;
  const prefix = [...names.keys()]
    .filter((name) => name.endsWith("/") && specifier.startsWith(name))
    .sort((left, right) => right.length - left.length)[0];
  return prefix === undefined ? undefined : `${names.get(prefix)}${specifier.slice(prefix.length)}`;
}

function isInside(url: URL, scope: URL | null): boolean {
  if (scope === null) return false;
  return url.href === scope.href || (scope.href.endsWith("/") && url.href.startsWith(scope.href));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
