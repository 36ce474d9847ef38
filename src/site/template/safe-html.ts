declare const brand: unique symbol;

/** What made a piece of markup, and so where it may stand. */
export type SafeHtmlKind = "content" | "json" | "source";

/**
 * Markup that the build itself made: sanitised content, escaped JSON, or a literal from a template's source. It is known by
 * identity, so that no text or object from content can pass for it.
 */
export interface SafeHtml {
  readonly __html: string;
  readonly [brand]: true;
}

const kinds = new WeakMap<object, SafeHtmlKind>();

/** Vouches for markup. Whoever calls this answers for it: `build-pages.ts` (content), `template.ts` (JSON) and `guard.ts` do. */
export function vouchForHtml(html: string, kind: SafeHtmlKind): SafeHtml {
  const value = Object.freeze({ __html: html }) as SafeHtml;
  kinds.set(value, kind);
  return value;
}

/** Says what made a value, or undefined if it was not made here. */
export function safeHtmlKind(value: unknown): SafeHtmlKind | undefined {
  return typeof value === "object" && value !== null ? kinds.get(value) : undefined;
}
