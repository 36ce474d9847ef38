import type { Heading } from "./heading-names.ts";
import { parseMarkdown, renderTokens } from "./markdown.ts";
import { hasNamedCode, writePlainContent } from "./plain-content.ts";

/** Content that may stand in a page, before anything vouches for it. */
export interface RenderedContent {
  readonly html: string;
  readonly headings: readonly Heading[];
  /** What content had and a page does not get, in words, with the line of the text where that is known, from 1. */
  readonly removals: readonly { readonly message: string; readonly line: number | undefined }[];
}

/**
 * Turns Markdown into what a page may hold. Most texts hold no raw HTML and are written at once; the sanitiser, which reads HTML as
 * a browser does and takes several times as long, is loaded for the others.
 */
export async function renderContent(markdown: string): Promise<RenderedContent> {
  const tokens = parseMarkdown(markdown);
  return (await renderPlain(tokens)) ?? renderSanitized(markdown, renderTokens(tokens));
}

/** What an entry's text may be written in. */
export type ContentFormat = "markdown" | "html";

/** Turns HTML, of which nothing is trusted, into what a page may hold. */
export async function renderHtml(html: string): Promise<RenderedContent> {
  const { sanitizeContent } = await import("./sanitize.ts");
  const { html: kept, headings, removals } = sanitizeContent(html);
  if (removals.length === 0) return { html: kept, headings, removals: [] };
  const { describeRemoval } = await import("./removals.ts");
  return {
    html: kept,
    headings,
    removals: removals.map((removal) => ({ message: describeRemoval(removal), line: undefined })),
  };
}

async function renderPlain(tokens: ReturnType<typeof parseMarkdown>): Promise<RenderedContent | undefined> {
  const plain = writePlainContent(tokens, await codeWriter(tokens));
  return plain === undefined ? undefined : { ...plain, removals: [] };
}

const nothing = (): string => "";

async function codeWriter(
  tokens: ReturnType<typeof parseMarkdown>,
): Promise<(code: string, language: string) => string> {
  if (!hasNamedCode(tokens)) return nothing;
  return (await import("./write-code.ts")).writeCode;
}

async function renderSanitized(markdown: string, unsafe: string): Promise<RenderedContent> {
  const { sanitizeContent } = await import("./sanitize.ts");
  const { html, headings, removals } = sanitizeContent(unsafe);
  if (removals.length === 0) return { html, headings, removals: [] };
  const { describeRemoval, lineOfRemovals } = await import("./removals.ts");
  const lines = lineOfRemovals(markdown, removals);
  const told = removals.map((removal, index) => ({ message: describeRemoval(removal), line: lines[index] }));
  return { html, headings, removals: told };
}
