import type { ContractLocales } from "../../contract/index.ts";
import type { ParsedEntry } from "./read-entries.ts";

/** What a language lacks. */
export interface Untranslated {
  readonly locale: string;
  /** Content files in the default language that have no counterpart in this one, relative to the contract. */
  readonly files: readonly string[];
}

/** Finds what of the default language is missing in each other: the entries, and those among them that somebody could translate. */
export function findUntranslated(
  entries: readonly ParsedEntry[],
  locales: ContractLocales | undefined,
  sources: ReadonlyMap<string, unknown>,
): readonly (Untranslated & { readonly entries: readonly ParsedEntry[] })[] {
  if (locales === undefined) return [];
  const key = ({ collection, slug }: ParsedEntry, locale: string): string =>
    `${locale} ${collection}/${slug}`;
  const there = new Set(entries.map((entry) => key(entry, entry.locale ?? "")));
  const originals = entries.filter(({ locale }) => locale === locales.default);
  return locales.others.flatMap((locale) => {
    const missing = originals.filter((entry) => !there.has(key(entry, locale)));
    // What comes from an API is in the default language, and nobody here can translate it.
    const files = missing.filter(({ collection }) => !sources.has(collection)).map(({ file }) => file);
    return missing.length === 0 ? [] : [{ locale, entries: missing, files }];
  });
}
