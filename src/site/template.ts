import { h } from "preact";
import type { JSX } from "preact";
import type { Schema } from "../contract/index.ts";
import type { z } from "zod";
import { siteError } from "./errors.ts";
import { jsonText } from "./json-text.ts";
import { vouchForHtml } from "./safe-html.ts";
import type { SafeHtml } from "./safe-html.ts";
import type { Heading } from "./heading-names.ts";

export { asset } from "./asset.ts";
export type { SafeHtml } from "./safe-html.ts";
export type { Heading } from "./heading-names.ts";

/** One content file. */
export interface Entry<Data = unknown> {
  readonly collection: string;
  /** Its name in the collection: `rye` for `breads/rye.md`, empty for an index. */
  readonly slug: string;
  /** Its URL path. */
  readonly path: string;
  /** What the collection's schema made of its front matter. */
  readonly data: Data;
  /** Its text, sanitised: for {@link Content}. */
  readonly body: SafeHtml;
  readonly headings: readonly Heading[];
}

/** The collections of a contract, by name. */
export type Collections = Readonly<Record<string, Schema>>;

/**
 * What a template's `page` component is given.
 *
 * @example
 * ```tsx
 * import { Content, type PageProps } from "curtainwall/template";
 * import type { collections } from "../collections.ts";
 *
 * export function page({ entry }: PageProps<typeof collections, "breads">) {
 *   return (
 *     <html lang="en">
 *       <head><title>{entry.data.title}</title></head>
 *       <body><Content of={entry} /></body>
 *     </html>
 *   );
 * }
 * ```
 */
export interface PageProps<All extends Collections, Name extends keyof All & string> {
  readonly entry: Entry<z.output<All[Name]>>;
  /** Every entry of every collection, sorted by path. */
  readonly collections: { readonly [Key in keyof All]: readonly Entry<z.output<All[Key]>>[] };
  /** The site's origin, from the contract. */
  readonly origin: string;
}

/** Attributes of {@link Content}. */
export interface ContentProps {
  /** The entry whose text is put here. */
  of: Pick<Entry, "body">;
  class?: string;
}

/** Puts an entry's text into the page, inside a `div`. The only way for content to bring markup. */
export function Content({ of, ...attributes }: ContentProps): JSX.Element {
  return h("div", { ...attributes, dangerouslySetInnerHTML: of.body });
}

/** Attributes of {@link JsonIsland}. */
export interface JsonIslandProps {
  /** Names it for the script that reads it: `JSON.parse(document.getElementById(id).textContent)`. */
  id: string;
  /** Anything that JSON can say. */
  data: unknown;
}

/** Hands data to the page's scripts as JSON that no browser runs. */
export function JsonIsland({ id, data }: JsonIslandProps): JSX.Element {
  const text = jsonText(data);
  if (text === undefined) {
    throw siteError("SITE_TEMPLATE_FAILED", `<JsonIsland id="${id}"> has no data that JSON can say.`);
  }
  return h("script", { type: "application/json", id, dangerouslySetInnerHTML: vouchForHtml(text, "json") });
}
