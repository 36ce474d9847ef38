import type { ContractLocales } from "../contract/index.ts";
import { siteError } from "./errors.ts";
import type { SourcePlace } from "./errors.ts";

/** The site's languages, the default one first; one that is not told if the contract declares none. */
export function localesOf(locales: ContractLocales | undefined): readonly (string | undefined)[] {
  return locales === undefined ? [undefined] : [locales.default, ...locales.others];
}

/** What the addresses of a language begin with: `/de`, and nothing for the default one. */
export function localePrefix(locale: string | undefined, locales: ContractLocales | undefined): string {
  return locale === undefined || locale === locales?.default ? "" : `/${locale.toLowerCase()}`;
}

/**
 * Takes the language's suffix off a file's name: `about.de` is `about` in German.
 *
 * @throws {CurtainwallError} `SITE_LOCALE_INVALID` for a suffix of a language that the contract does not have, or that needs none
 */
export function splitLocale(
  name: string,
  locales: ContractLocales | undefined,
  place: SourcePlace,
): { name: string; locale: string | undefined } {
  if (locales === undefined) return { name, locale: undefined };
  const dot = name.lastIndexOf(".");
  const suffix = dot < 0 ? "" : name.slice(dot + 1);
  if (locales.others.includes(suffix)) return { name: name.slice(0, dot), locale: suffix };
  if (looksLikeLocale(suffix, locales)) {
    const isDefault = suffix.toLowerCase() === locales.default.toLowerCase();
    throw siteError(
      "SITE_LOCALE_INVALID",
      `its name ends in ".${suffix}", which is no other language of this site.`,
      {
        place,
        hint: isDefault
          ? `Files in the default language have no suffix: call it ${name.slice(0, dot)}.md`
          : `Others are ${locales.others.join(", ") || "none"}; add it to site.locales.others, or rename the file`,
      },
    );
  }
  return { name, locale: locales.default };
}

/** A tag of two letters, alone or with a region, or one of the site's in other capitals: nobody names a file so by accident. */
function looksLikeLocale(suffix: string, { default: first, others }: ContractLocales): boolean {
  return (
    /^[a-z]{2}(?:-[A-Za-z]{2,4})?$/.test(suffix) ||
    [first, ...others].some((locale) => locale.toLowerCase() === suffix.toLowerCase())
  );
}

/** Languages written from right to left, and scripts that say so whatever the language. */
const rightToLeft = new Set([
  "ar",
  "arc",
  "ckb",
  "dv",
  "fa",
  "he",
  "khw",
  "ks",
  "nqo",
  "pnb",
  "ps",
  "sd",
  "syr",
  "ug",
  "ur",
  "yi",
]);
const rightToLeftScripts = new Set(["Adlm", "Arab", "Hebr", "Mand", "Nkoo", "Rohg", "Samr", "Syrc", "Thaa"]);

/** Which way a language is written. */
export function directionOf(locale: string): "ltr" | "rtl" {
  const [language = "", script = ""] = locale.split("-");
  const isRight = script.length === 4 ? rightToLeftScripts.has(script) : rightToLeft.has(language);
  return isRight ? "rtl" : "ltr";
}
