import type { ContractLocales } from "../contract/index.ts";
import { siteError } from "./errors.ts";
import type { SourcePlace } from "./errors.ts";
import { localePrefix, splitLocale } from "./locales.ts";

const segment = /^[A-Za-z0-9_~][A-Za-z0-9._~-]*$/;

/** Where a content file belongs. */
export interface ContentPath {
  readonly collection: string;
  /** `rye` for `breads/rye.md`, `help/opening` for `pages/help/opening.md`, empty for an index. */
  readonly slug: string;
  /** Its URL path. */
  readonly path: string;
  /** Undefined if the contract declares no languages. */
  readonly locale: string | undefined;
}

/** The 404 page: the one that has a file's address, since no visitor asks for it. */
export const notFoundPath = "/404.html";

/** Whether a page is shown where nothing is: `/404.html`, or a language's, `/de/404.html`. */
export const isNotFoundPath = (path: string): boolean => path.endsWith(notFoundPath);

/**
 * Finds a content file's address. `pages/` is the site's root: `pages/index.md` → `/`, `pages/about.md` → `/about/`,
 * `breads/rye.md` → `/breads/rye/`, `pages/404.md` → `/404.html`. Where the site has languages, `pages/about.de.md` → `/de/about/`.
 *
 * @param file relative to the content folder, with `/`
 * @throws {CurtainwallError} `SITE_PATH_INVALID`, `SITE_LOCALE_INVALID`
 */
export function contentPath(file: string, place: SourcePlace, locales?: ContractLocales): ContentPath {
  const parts = file.replace(/\.md$/, "").split("/");
  const [collection = "", ...rest] = parts;
  if (rest.length === 0) {
    throw siteError("SITE_PATH_INVALID", "a content file must be in a collection's folder.", {
      place,
      hint: `Move it, for example to pages/${file}`,
    });
  }
  assertSegments(parts, place);
  const { name, locale } = splitLocale(rest.at(-1) ?? "", locales, place);
  const names = name === "index" ? rest.slice(0, -1) : [...rest.slice(0, -1), name];
  const slug = names.join("/");
  return { collection, slug, locale, path: entryPath(collection, slug, localePrefix(locale, locales)) };
}

/** The address of an entry. */
export function entryPath(collection: string, slug: string, prefix: string): string {
  if (collection === "pages" && slug === "404") return `${prefix}${notFoundPath}`;
  const folder = collection === "pages" ? "" : `/${collection}`;
  return `${prefix}${folder}${slug === "" ? "" : `/${slug}`}/`;
}

/** @throws {CurtainwallError} `SITE_PATH_INVALID` for a name that can't be part of an address */
export function assertSegment(name: string, place: SourcePlace): void {
  assertSegments([name], place);
}

/**
 * Finds the address of a file that is published as it is.
 *
 * @throws {CurtainwallError} `SITE_PATH_INVALID`
 */
export function assetPath(file: string, place: SourcePlace): string {
  const parts = file.split("/");
  assertSegments(parts[0] === ".well-known" ? parts.slice(1) : parts, place);
  return `/${file}`;
}

function assertSegments(parts: readonly string[], place: SourcePlace): void {
  const wrong = parts.find((part) => !segment.test(part));
  if (wrong === undefined) return;
  throw siteError("SITE_PATH_INVALID", `"${wrong}" can't be part of an address.`, {
    place,
    hint: 'Name files with unaccented letters, digits, "-", "_", "~" and "."',
  });
}

/** Gives each address to one file, and none below the API's roots. */
export class AddressBook {
  readonly #owners = new Map<string, SourcePlace>();
  readonly #apiRoots: ReadonlySet<string>;

  constructor(apiRoots: ReadonlySet<string>) {
    this.#apiRoots = apiRoots;
  }

  /** @throws {CurtainwallError} `SITE_PATH_CONFLICT` when the address is taken or is the API's. */
  claim(path: string, place: SourcePlace): void {
    if (this.isApi(path)) {
      throw siteError("SITE_PATH_CONFLICT", `its address ${path} lies below the API's.`, {
        place,
        hint: "The contract has routes there, and what lies below them is never a page: move the file",
      });
    }
    const owner = this.#owners.get(path);
    if (owner !== undefined) {
      throw siteError("SITE_PATH_CONFLICT", `its address ${path} is also that of ${owner.file}.`, {
        place,
        hint: "Rename or remove one of the two",
      });
    }
    this.#owners.set(path, place);
  }

  has(path: string): boolean {
    return this.#owners.has(path);
  }

  isApi(path: string): boolean {
    return this.#apiRoots.has(path.split("/")[1] ?? "");
  }
}
