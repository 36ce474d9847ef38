import type { ContractLocales } from "../contract/site.ts";
import type { Problems } from "./problems.ts";
import { quote, section } from "./values.ts";

/** Language, script, region: what a file's suffix, an address and `lang` can all say. */
const localeTag = /^[a-z]{2,3}(?:-[A-Z][a-z]{3})?(?:-(?:[A-Z]{2}|\d{3}))?$/;

/** Reads which languages a site has. */
export function parseLocales(
  problems: Problems,
  value: unknown,
  collections: ReadonlyMap<string, unknown>,
): ContractLocales | undefined {
  const options = section(problems, "site.locales", value, ["default", "others", "untranslated"]);
  if (options === undefined) return undefined;
  const { default: first, others, untranslated = "nothing" } = options;
  const all: unknown[] = [first, ...(Array.isArray(others) ? (others as unknown[]) : [undefined])];
  for (const [index, tag] of all.entries()) {
    if (typeof tag !== "string" || !localeTag.test(tag))
      problems.add(
        "CONTRACT_OPTION_INVALID",
        `site.locales: a language is a BCP 47 tag like "de" or "pt-BR", not ${quote(tag)}.`,
        'locales: { default: "en", others: ["de"] },',
      );
    else if (all.indexOf(tag) !== index)
      problems.add("CONTRACT_OPTION_INVALID", `site.locales: ${quote(tag)} is there twice.`);
    else if (index > 0 && collections.has(tag.toLowerCase()))
      problems.add(
        "CONTRACT_OPTION_INVALID",
        `site.locales: the addresses of ${quote(tag)} begin as those of the collection of that name.`,
      );
  }
  if (untranslated !== "nothing" && untranslated !== "default")
    problems.add(
      "CONTRACT_OPTION_INVALID",
      `site.locales.untranslated must be "nothing" or "default", not ${quote(untranslated)}.`,
    );
  return {
    default: String(first),
    others: all.slice(1).filter((tag) => typeof tag === "string"),
    untranslated: untranslated === "default" ? "default" : "nothing",
  };
}
