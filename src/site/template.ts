import { h } from "preact";
import type { JSX } from "preact";
import { siteError } from "./errors.ts";
import { jsonText } from "./template/json-text.ts";
import { directionOf } from "./locales.ts";
import { vouchForHtml } from "./template/safe-html.ts";
import type { Entry } from "./template/page-props.ts";

export { asset } from "./template/asset.ts";
export { Image } from "./images/image.ts";
export type { ImageProps } from "./images/image.ts";
export type { SafeHtml } from "./template/safe-html.ts";
export type { Heading } from "./content/heading-names.ts";
export { HeadLinks } from "./template/head-links.ts";
export type { HeadLinksProps } from "./template/head-links.ts";
export type {
  Alternate,
  Collections,
  CommonProps,
  DataOf,
  Entry,
  Here,
  ListPage,
  ListProps,
  PageProps,
  Tag,
  TagLink,
  TagProps,
  TagsProps,
} from "./template/page-props.ts";

/** Attributes of {@link Content}. */
export interface ContentProps {
  /** The entry whose text is put here. */
  of: Pick<Entry, "body"> & Partial<Pick<Entry, "locale">>;
  class?: string;
}

/** Puts an entry's text into the page, inside a `div` that names its language. The only way for content to bring markup. */
export function Content({ of, ...attributes }: ContentProps): JSX.Element {
  const language = of.locale === undefined ? {} : { lang: of.locale, dir: directionOf(of.locale) };
  return h("div", { ...attributes, ...language, dangerouslySetInnerHTML: of.body });
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
