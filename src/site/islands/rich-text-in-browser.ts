import { h } from "preact";
import type { JSX } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { richTextPolicy } from "./names.ts";
import type { RichTextProps } from "./rich-text.ts";
import { sanitizeFragment } from "./sanitize-fragment.ts";

/** `RichText` in an island's own module. What the build rendered is made anew here, before anything is painted. */
export function RichText({ html, ...attributes }: RichTextProps): JSX.Element {
  const place = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    if (place.current !== null) show(place.current, html);
  }, [html]);
  return h("div", { ...attributes, ref: place });
}

function show(place: HTMLElement, html: string): void {
  try {
    // Trusted, or a text in browsers without Trusted Types; the type that TypeScript knows is the text's.
    place.innerHTML = sanitizer().createHTML(html) as string;
  } catch {
    // Nested too deeply to be read, or on a page whose policy knows no rich text: then it is words.
    place.textContent = html;
  }
}

/** What makes markup. It can't make what the sanitiser would not, so it may be found by anybody. */
interface Sanitizer {
  createHTML(html: string): unknown;
}

interface Holder {
  [shared]?: Sanitizer;
  readonly trustedTypes?: { createPolicy(name: string, rules: Sanitizer): Sanitizer };
}

/** A symbol, since no element of the page can stand for it. Islands have modules of their own, and a policy is made once. */
const shared = Symbol.for("curtainwall.rich-text");

function sanitizer(): Sanitizer {
  const holder = globalThis as Holder;
  const rules = { createHTML: sanitizeFragment };
  holder[shared] ??= holder.trustedTypes?.createPolicy(richTextPolicy, rules) ?? rules;
  return holder[shared];
}
