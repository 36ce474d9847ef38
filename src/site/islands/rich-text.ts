import { h } from "preact";
import type { JSX } from "preact";
import { vouchForHtml } from "../template/safe-html.ts";
import { sanitizeFragment } from "./sanitize-fragment.ts";

/** Attributes of {@link RichText}. */
export interface RichTextProps {
  /** HTML from wherever: of it, words, lists, tables and links are kept. */
  html: string;
  class?: string;
}

/**
 * Shows HTML that somebody else wrote, in an island: what the sanitiser of content keeps of it, without pictures. In the browser it
 * becomes markup through one Trusted Types policy that can do nothing else, and only pages with such an island allow that policy.
 *
 * Text needs none of this: `{text}` in a component is text.
 */
export function RichText({ html, ...attributes }: RichTextProps): JSX.Element {
  const markup = vouchForHtml(sanitizeFragment(html), "content");
  return h("div", { ...attributes, dangerouslySetInnerHTML: markup });
}
