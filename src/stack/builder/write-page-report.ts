import type { RebuildPageOptions, RebuiltPage } from "../../site/node.ts";

/** What a page's builder is told, as the last word of its command line. */
export type PageOrder = RebuildPageOptions;

/** The forms of a page, in the order in which a report has them. */
export const pageForms = ["identity", "br", "gzip", "zstd"] as const;

/** Says what became of a page: a line of JSON, and its forms one behind the other. `null`: a whole build has to see to it. */
export function writePageReport(page: RebuiltPage | undefined, missed: readonly string[]): Uint8Array[] {
  if (page === undefined) return [Buffer.from("null\n")];
  const { path, html, forms, warnings, notes } = page;
  const bytes = pageForms.map((form) => (form === "identity" ? html : forms[form]));
  const lengths = bytes.map((form) => form?.length ?? 0);
  const line = { path, lengths, warnings, notes, missed };
  return [Buffer.from(`${JSON.stringify(line)}\n`), ...bytes.filter((form) => form !== undefined)];
}
