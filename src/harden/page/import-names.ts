/** What import maps say about names, read once, so that each import is looked up in about the time that its own length takes. */
export interface ImportNames {
  /** Undefined for a bare name that no map knows, which no browser resolves either. */
  resolve(specifier: string, from: URL): URL | undefined;
}

/** The members of an import map that resolve names, as they were parsed. */
export interface NameMap {
  readonly imports: Readonly<Record<string, unknown>>;
  readonly scopes: Readonly<Record<string, unknown>>;
}

/** Names, and the lengths of those that end in a slash, longest first. */
interface Names {
  readonly byName: Map<string, string>;
  prefixes: readonly number[];
}

/**
 * Reads the import maps of a document as one: of two that map the same name, the earlier counts.
 *
 * @see HTML §8.1.5.5 (resolving module specifiers), §8.1.5.6 (import maps)
 */
export function readNames(maps: readonly NameMap[], base: URL): ImportNames {
  const imports = namesOf();
  const scopes = new Map<string, Names>();
  for (const map of maps) {
    addNames(imports, map.imports, base);
    for (const [scope, names] of Object.entries(map.scopes)) {
      const href = URL.parse(scope, base)?.href;
      if (href === undefined || !isRecord(names)) continue;
      const known = scopes.get(href) ?? namesOf();
      scopes.set(href, known);
      addNames(known, names, base);
    }
  }
  for (const names of [imports, ...scopes.values()]) names.prefixes = lengthsOf(names.byName.keys());
  const scopeLengths = lengthsOf(scopes.keys());
  return {
    resolve(specifier, from) {
      const asAddress = addressOf(specifier, from);
      const name = asAddress?.href ?? specifier;
      for (const names of [...around(from.href, scopes, scopeLengths), imports]) {
        const mapped = lookUp(names, name);
        if (mapped !== undefined) return addressOf(mapped, base);
      }
      return asAddress;
    },
  };
}

const namesOf = (): Names => ({ byName: new Map(), prefixes: [] });

function addNames({ byName }: Names, names: Readonly<Record<string, unknown>>, base: URL): void {
  for (const [name, mapped] of Object.entries(names)) {
    const key = addressOf(name, base)?.href ?? name;
    if (typeof mapped === "string" && !byName.has(key)) byName.set(key, mapped);
  }
}

/** What a specifier is as an address; a bare name is none. */
export function addressOf(specifier: string, base: URL): URL | undefined {
  const found = /^\.{0,2}\//.test(specifier) ? URL.parse(specifier, base) : URL.parse(specifier);
  return found ?? undefined;
}

function lengthsOf(names: Iterable<string>): readonly number[] {
  const lengths = new Set<number>();
  for (const name of names) if (name.endsWith("/")) lengths.add(name.length);
  return [...lengths].sort((left, right) => right - left);
}

/** The scopes that an address lies in, the narrowest first. */
function* around(
  href: string,
  scopes: ReadonlyMap<string, Names>,
  lengths: readonly number[],
): Generator<Names> {
  const own = scopes.get(href);
  if (own !== undefined) yield own;
  for (const prefix of prefixesOf(href, lengths)) {
    const names = prefix === href ? undefined : scopes.get(prefix);
    if (names !== undefined) yield names;
  }
}

function lookUp({ byName, prefixes }: Names, name: string): string | undefined {
  const exact = byName.get(name);
  if (exact !== undefined) return exact;
  for (const prefix of prefixesOf(name, prefixes)) {
    const mapped = byName.get(prefix);
    if (mapped !== undefined) return mapped + name.slice(prefix.length);
  }
  return undefined;
}

/** The beginnings of a text that end in a slash and have one of these lengths. */
function* prefixesOf(text: string, lengths: readonly number[]): Generator<string> {
  for (const length of lengths) if (text.charCodeAt(length - 1) === 0x2f) yield text.slice(0, length);
}

/** Tells whether a value is an object of JSON, and no list. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
