import MarkdownIt from "markdown-it";
import type { Token } from "markdown-it";

const emailOrScheme = { fuzzyLink: false, fuzzyEmail: true, fuzzyIP: false };

/** Reads Markdown: CommonMark with GitHub's tables, strikethrough and autolinks. */
export function parseMarkdown(markdown: string): Token[] {
  return parser.parse(markdown, {});
}

/** Writes what {@link parseMarkdown} read as HTML. Raw HTML passes through, so it is *not* safe: `sanitizeContent` makes it so. */
export function renderTokens(tokens: Token[]): string {
  return parser.renderer.render(tokens, parser.options, {});
}

/** Turns Markdown into HTML that is *not* safe. */
export function renderMarkdown(markdown: string): string {
  return renderTokens(parseMarkdown(markdown));
}

const parser = createParser();

function createParser(): ReturnType<typeof MarkdownIt> {
  const markdown = new MarkdownIt({ html: true, linkify: true });
  // Without a scheme only what begins with "www." becomes a link: "README.md" is a file, not a site in Moldova.
  markdown.linkify.set(emailOrScheme);
  markdown.linkify.add("www.", {
    validate: (text, position) =>
      /^[a-z0-9-]+(?:\.[a-z0-9-]+)+(?:\/[^\s<>"']*[^\s<>"'.,;:!?)])?/i.exec(
        text.slice(position, position + 2048),
      )?.[0].length ?? 0,
    normalize: (match) => {
      match.url = `https://${match.url}`;
    },
  });
  // Alignment comes as a style attribute, which no policy of ours lets through.
  for (const name of ["th_open", "td_open"]) {
    markdown.renderer.rules[name] = (tokens, index, options, _env, renderer) => {
      const token = tokens[index];
      const align = /^text-align:(left|center|right)$/.exec(String(token?.attrGet("style")))?.[1];
      if (token !== undefined) token.attrs = align === undefined ? null : [["align", align]];
      return renderer.renderToken(tokens, index, options);
    };
  }
  return markdown;
}
