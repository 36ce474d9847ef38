import type { Source } from "../source.ts";
import type { Schema } from "./schema.ts";

/** The site: Markdown and templates of its own, or what another generator writes. */
export type SiteOptions = ContentSiteOptions | ForeignSiteOptions;

/** Where a site's sources are, relative to the contract. */
export interface ContentSiteOptions {
  /** Folder of Markdown files. Its first level of folders are the collections. */
  content: string;
  /** Folder of TSX templates. */
  templates: string;
  /** Folder whose files are published: as they are, or under a name with their hash where a template asks for that. */
  assets?: string;
  /**
   * The front matter that each collection's files must have, or the {@link source} that its entries come from. A collection without a schema
   * does not build.
   */
  collections: Readonly<Record<string, Schema | Source>>;
  /**
   * Addresses that lead elsewhere for good, by path: to a path of this site, or to an https URL. A page's own old addresses stand in its
   * front matter, as `aliases`. Default none.
   */
  redirects?: Readonly<Record<string, string>>;
  /** Collections that have an Atom feed, at `/<collection>/feed.xml`. Their front matter has `title` and `date`. Default none. */
  feeds?: readonly string[];
  /** Collections that have a list of their entries, in pages: `/news/`, `/news/2/`. Their template exports `list`. Default none. */
  lists?: Readonly<Record<string, ListOptions>>;
  /**
   * Collections whose front matter has `tags`: a page for each tag, `/news/tags/rye/`, and one of all of them. Their template exports `tag`
   * and `tags`. Default none.
   */
  tags?: Readonly<Record<string, TagOptions>>;
  /** The site's languages. Default: one, of which nothing is known. */
  locales?: LocaleOptions;
  /**
   * The sizes that photographs in content, and those that templates show by `<Image>`, are offered in, besides their own. Made by the package
   * sharp where it is installed. Default: as {@link ImageOptions} says. False: none.
   */
  images?: ImageOptions | false;
  /** Only for a site that another generator builds. */
  dist?: never;
}

/** Sizes and formats of a site's photographs. */
export interface ImageOptions {
  /** Widths in pixels, 16 to 8 192, at most eight. None is made that is larger than the photograph. Default 480, 960 and 1 600. */
  widths?: readonly number[];
  /** Formats, the best first. Default AVIF and WebP. The photograph's own is always there. */
  formats?: readonly ("avif" | "webp")[];
  /** How wide photographs are shown in which window, as in `<img sizes>`. Default: as wide as they are, and never wider than the window. */
  sizes?: string;
}

/** In which order a list has a collection's entries, and how many a page. */
export interface ListOptions {
  /** Entries on one page, 1 to 1 000. Default 20. */
  size?: number;
  /** The field of the front matter that they are sorted by: numbers, texts or dates. Entries of one value stand by address. Default: all by address. */
  by?: string;
  /** Which comes first. Default `"ascending"`. */
  order?: "ascending" | "descending";
}

/** The pages of a collection's tags. */
export interface TagOptions extends ListOptions {
  /** Gives each tag's page an Atom feed. Default false. */
  feeds?: boolean;
  /** The last part of a tag's address, for tags whose letters don't give one, like `{ "面包": "bread" }`. Default: made of the tag. */
  slugs?: Readonly<Record<string, string>>;
}

/** A site's languages, as BCP 47 tags: `en`, `pt-BR`. */
export interface LocaleOptions {
  /** The language of files without a suffix, `about.md`. Its addresses begin at `/`. */
  default: string;
  /** The others: `about.de.md` becomes `/de/about/`. */
  others: readonly string[];
  /**
   * What stands at the address of a page that is not translated: nothing, or the page in the default language, which says so and is told to
   * search engines as a copy. Default `"nothing"`.
   */
  untranslated?: "nothing" | "default";
}

/**
 * A site that another generator builds: Astro, Eleventy, Hugo, a Next export. `curtainwall build` runs it in a jail, hardens what it wrote
 * and publishes that.
 */
export interface ForeignSiteOptions {
  /** The folder that the generator writes, inside the project and relative to the contract: `dist`. */
  dist: string;
  /** The command that writes it, as a shell reads it: `npm run build`. Default: none, the folder is taken as it lies there. */
  build?: string;
  /** Origins that the build may reach, exactly: `https://api.example`. Default: none. */
  reaches?: readonly string[];
  /** Names of the environment variables that the build gets. Default: none. */
  environment?: readonly string[];
  /** How long the build may take, in milliseconds, 1 000 to 86 400 000. Default 600 000. */
  timeoutMs?: number;
  /** Runs the build without a jail where bubblewrap is missing; says why. */
  insecureUnjailedBuild?: string;
  /** Lets what the build reaches lie at private addresses; says why. */
  insecurePrivateAddresses?: string;
  /**
   * The file that `curtainwall csp learn` wrote, relative to the contract: the pages in it are closed to all else. Default: none, and what
   * scripts hide stays open.
   */
  learned?: string;
  /** Lets scripts make code from strings, on the pages where they do; says why. */
  insecureEval?: string;
  /**
   * Scripts of other sites that the pages' own scripts may add, each by its exact address, and why:
   * `{ "https://tags.example/tags.js": "the shop's tag manager" }`. Whatever its owner serves there runs. Default: none, they are blocked.
   */
  allowScripts?: Readonly<Record<string, string>>;
  /** The same for all scripts of an origin, or below a folder of it: `{ "https://tags.example/": "…" }`; says why. Default: none. */
  insecureAllowScripts?: Readonly<Record<string, string>>;
  /** Only for a site of Markdown and templates. */
  content?: never;
  /** Only for a site of Markdown and templates. */
  templates?: never;
}
