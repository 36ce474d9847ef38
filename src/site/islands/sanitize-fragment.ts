import { fromHtml } from "hast-util-from-html";
import { sanitize } from "hast-util-sanitize";
import type { Schema } from "hast-util-sanitize";
import { toHtml } from "hast-util-to-html";
import { contentSchema } from "../content/content-schema.ts";
import { serialization } from "../content/serialization.ts";

/** What content may hold, without what only the build can answer for: pictures, which a page's policy names, and classes. */
const fragmentSchema: Schema = {
  ...contentSchema,
  tagNames: (contentSchema.tagNames ?? []).filter((name) => name !== "img"),
  attributes: { ...contentSchema.attributes, img: [], code: [] },
};

/** Keeps of some HTML what content may hold, with the sanitiser that content goes through. Runs at the build and in browsers. */
export function sanitizeFragment(html: string): string {
  return toHtml(sanitize(fromHtml(html, { fragment: true }), fragmentSchema), serialization);
}
