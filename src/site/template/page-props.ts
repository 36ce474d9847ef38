import type { z } from "zod";
import type { Schema, Source } from "../../contract/index.ts";
import type { Heading } from "../content/heading-names.ts";
import type { SafeHtml } from "./safe-html.ts";

/** One content file, or one entry of a source. */
export interface Entry<Data = unknown> {
  readonly collection: string;
  /** Its name in the collection: `rye` for `breads/rye.md`, empty for an index. */
  readonly slug: string;
  /** Its URL path. */
  readonly path: string;
  /** What the collection's schema made of its front matter. */
  readonly data: Data;
  /** Its text, sanitised: for `Content`. */
  readonly body: SafeHtml;
  readonly headings: readonly Heading[];
  /** The language of its text; undefined if the contract declares none. Differs from its page's where it is not translated. */
  readonly locale: string | undefined;
  /** Its tags, in the order of its front matter; none if the contract declares no tags for its collection. */
  readonly tags: readonly TagLink[];
}

/** A tag, and where its page is. */
export interface TagLink {
  /** As written. */
  readonly name: string;
  /** The last part of its address. */
  readonly slug: string;
  readonly path: string;
}

/** A tag, and how many entries have it. */
export interface Tag extends TagLink {
  readonly count: number;
}

/** A page in one of its languages. */
export interface Alternate {
  readonly locale: string;
  readonly path: string;
  readonly url: string;
}

/** The page that is being made, and its neighbours: for `HeadLinks`, `<html lang>` and menus. */
export interface Here {
  readonly path: string;
  readonly url: string;
  /** The address that search engines should know it by; undefined for a 404 page. */
  readonly canonical: string | undefined;
  /** Undefined if the contract declares no languages. */
  readonly locale: string | undefined;
  /** Which way its language is written. */
  readonly dir: "ltr" | "rtl";
  /** The page in all its languages, itself included; empty if it is in one only. */
  readonly alternates: readonly Alternate[];
  /** The one of {@link Here.alternates} for visitors whose language is none of them. */
  readonly defaultAlternate: Alternate | undefined;
  /** The path of the list's page before this one. */
  readonly previous: string | undefined;
  readonly next: string | undefined;
  /** The path of the feed of what it lists. */
  readonly feed: string | undefined;
}

/** One page of a list. */
export interface ListPage<Item = Entry> {
  /** Its number, from 1. */
  readonly number: number;
  /** How many pages the list has; 1 if it has no entries. */
  readonly total: number;
  /** How many entries the list has, on all its pages. */
  readonly count: number;
  /** The entries on this page. */
  readonly items: readonly Item[];
  /** The path of the page before; undefined on the first. */
  readonly previous: string | undefined;
  /** The path of the page after; undefined on the last. */
  readonly next: string | undefined;
  /** The paths of all its pages, the first at 0. */
  readonly paths: readonly string[];
}

/** The collections of a contract, by name. */
export type Collections = Readonly<Record<string, Schema | Source>>;

/** What the schema of a collection makes of an entry's fields. */
export type DataOf<Collection> =
  Collection extends Source<infer Item>
    ? z.output<Item>
    : Collection extends Schema
      ? z.output<Collection>
      : never;

/** What every template is given. */
export interface CommonProps<All extends Collections> {
  /** Every entry of every collection in the page's language, sorted by path. */
  readonly collections: { readonly [Key in keyof All]: readonly Entry<DataOf<All[Key]>>[] };
  /** The site's origin, from the contract. */
  readonly origin: string;
  readonly here: Here;
}

/**
 * What a template's `page` component is given.
 *
 * @example
 * ```tsx
 * import { Content, HeadLinks, type PageProps } from "curtainwall/template";
 * import type { collections } from "../collections.ts";
 *
 * export function page({ entry, here }: PageProps<typeof collections, "breads">) {
 *   return (
 *     <html lang="en">
 *       <head><title>{entry.data.title}</title><HeadLinks here={here} /></head>
 *       <body><Content of={entry} /></body>
 *     </html>
 *   );
 * }
 * ```
 */
export interface PageProps<
  All extends Collections,
  Name extends keyof All & string,
> extends CommonProps<All> {
  readonly entry: Entry<DataOf<All[Name]>>;
}

/** What a template's `list` component is given: one page of the collection's list. */
export interface ListProps<
  All extends Collections,
  Name extends keyof All & string,
> extends CommonProps<All> {
  readonly page: ListPage<Entry<DataOf<All[Name]>>>;
  /** The file of `pages` at the list's address, like `pages/news.md`: its title and text. Undefined if there is none. */
  readonly text: Entry<DataOf<All["pages"]>> | undefined;
}

/** What a template's `tag` component is given: one page of the entries that have a tag. */
export interface TagProps<All extends Collections, Name extends keyof All & string> extends CommonProps<All> {
  readonly tag: Tag;
  readonly page: ListPage<Entry<DataOf<All[Name]>>>;
}

/** What a template's `tags` component is given. */
export interface TagsProps<All extends Collections> extends CommonProps<All> {
  /** Every tag in use, sorted by address. */
  readonly tags: readonly Tag[];
}
