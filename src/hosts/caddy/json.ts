/** A piece of Caddy's configuration. */
export type Json = string | number | boolean | readonly Json[] | { readonly [name: string]: Json };

/** What Caddy does with the requests that match. */
export type Route = { readonly [name: string]: Json };

/**
 * A text where Caddy looks for placeholders. It takes the backslash from before a brace, but only when there is an opening
 * brace at all.
 */
export function literal(text: string): string {
  return text.includes("{") ? text.replaceAll(/[{}]/g, "\\$&") : text;
}

/** A route after which no other is tried. */
export const final = (match: readonly Json[], handle: readonly Json[]): Route => ({
  match,
  handle,
  terminal: true,
});
