import type { Token } from "markdown-it";
import { createHeadingNames } from "./heading-names.ts";
import type { Heading } from "./heading-names.ts";
import { addressSchemes, isKeptAddress } from "./kept-addresses.ts";

/** Writes a piece of code, marked up: what comes back stands in the page as it is. */
export type WriteCode = (code: string, language: string) => string;

/** What became of some Markdown. */
export interface PlainContent {
  readonly html: string;
  readonly headings: readonly Heading[];
}

/**
 * Writes Markdown that holds no raw HTML, without building a tree of it: it can only become the elements named here, every text and
 * every attribute is escaped, and addresses are those that the sanitiser keeps. To the letter what the sanitiser makes of the same
 * text, which a test compares. Undefined when it isn't sure of that, and then the sanitiser has to see it.
 */
export function writePlainContent(tokens: readonly Token[], writeCode: WriteCode): PlainContent | undefined {
  const headings = nameHeadings(tokens);
  const anchors = new Set(headings.map(({ id }) => id));
  const writer = new Writer(tokens, anchors, headings, writeCode);
  const html = writer.write();
  return html === undefined ? undefined : { html, headings };
}

/** Whether some of the tokens are code that may have to be marked up. */
export function hasNamedCode(tokens: readonly Token[]): boolean {
  return tokens.some(({ type, info }) => type === "fence" && info !== "");
}

/** Block elements that Markdown makes and that have no attributes of their own. */
const plainBlocks = new Set([
  "p",
  "ul",
  "li",
  "blockquote",
  "table",
  "thead",
  "tbody",
  "tr",
  "hr",
  "h1",
  "h2",
  "h3",
  "h4",
  "h5",
  "h6",
]);
const plainPhrases = new Set(["em", "strong", "s"]);

/** Thrown, and caught here, where the sanitiser has to decide. */
const unsure = Symbol("unsure");

class Writer {
  readonly #tokens: readonly Token[];
  readonly #anchors: ReadonlySet<string>;
  readonly #headings: readonly Heading[];
  readonly #writeCode: WriteCode;
  #headingsWritten = 0;
  #isInLink = false;

  constructor(
    tokens: readonly Token[],
    anchors: ReadonlySet<string>,
    headings: readonly Heading[],
    writeCode: WriteCode,
  ) {
    this.#tokens = tokens;
    this.#anchors = anchors;
    this.#headings = headings;
    this.#writeCode = writeCode;
  }

  write(): string | undefined {
    let html = "";
    try {
      for (let index = 0; index < this.#tokens.length; index++) html += this.#block(index);
      return html;
    } catch (reason) {
      if (reason === unsure) return undefined;
      throw reason;
    }
  }

  #block(index: number): string {
    const token = this.#tokens[index];
    if (token === undefined) return "";
    if (token.type === "inline") return this.#inline(token, this.#isItemStart(index));
    if (token.type === "fence") return this.#fence(token);
    if (token.type === "code_block") return `<pre><code>${text(token.content)}</code></pre>\n`;
    if (token.hidden) return "";
    const newline = token.nesting !== -1 && this.#tokens[index - 1]?.hidden === true ? "\n" : "";
    return newline + this.#tag(token) + (this.#isFollowedByNewline(token, index) ? "\n" : "");
  }

  #tag(token: Token): string {
    const { tag, nesting } = token;
    if (nesting === -1) {
      if (!plainBlocks.has(tag) && tag !== "ol" && tag !== "th" && tag !== "td") throw unsure;
      return `</${tag}>`;
    }
    if (token.type === "heading_open") {
      const heading = this.#headings[this.#headingsWritten++];
      if (heading === undefined || !plainBlocks.has(tag)) throw unsure;
      return `<${tag} id="${attribute(heading.id)}">`;
    }
    if (tag === "ol") return `<ol${this.#start(token)}>`;
    if (tag === "th" || tag === "td") return `<${tag}${this.#alignment(token)}>`;
    if (!plainBlocks.has(tag) || (token.attrs?.length ?? 0) > 0) throw unsure;
    return `<${tag}>`;
  }

  #start({ attrs }: Token): string {
    if (attrs === null) return "";
    const [[name, value] = ["", ""], ...others] = attrs;
    if (name !== "start" || others.length > 0 || !/^\d{1,9}$/.test(String(value))) throw unsure;
    return ` start="${String(Number(value))}"`;
  }

  #alignment({ attrs }: Token): string {
    if (attrs === null) return "";
    const [[name, value] = ["", ""], ...others] = attrs;
    const align = name === "style" ? /^text-align:(left|center|right)$/.exec(String(value))?.[1] : undefined;
    if (align === undefined || others.length > 0) throw unsure;
    return ` align="${align}"`;
  }

  /** Where markdown-it breaks the line: after every tag of a block but those that hold a line of text, or nothing. */
  #isFollowedByNewline(token: Token, index: number): boolean {
    const next = this.#tokens[index + 1];
    if (token.nesting !== 1 || next === undefined) return true;
    return !(next.type === "inline" || next.hidden || (next.nesting === -1 && next.tag === token.tag));
  }

  #fence(token: Token): string {
    const language = languageOf(token);
    if (language === undefined) return `<pre><code>${text(token.content)}</code></pre>\n`;
    if (token.content.includes("\r")) throw unsure;
    return `<pre><code class="hljs">${this.#writeCode(token.content, language)}</code></pre>\n`;
  }

  #isItemStart(index: number): boolean {
    return (
      this.#tokens[index - 1]?.type === "paragraph_open" && this.#tokens[index - 2]?.type === "list_item_open"
    );
  }

  #inline({ children }: Token, isItemStart: boolean): string {
    const all = children ?? [];
    const isTask = isItemStart && /^\s*\[[ xX]\]/.test(leadingText(all));
    let html = "";
    for (const [index, token] of all.entries())
      html += isTask && index === 0 ? task(token, all[1]) : this.#phrase(token);
    return html;
  }

  #phrase(token: Token): string {
    switch (token.type) {
      case "text":
        return text(token.content);
      case "softbreak":
        return "\n";
      case "hardbreak":
        return "<br>\n";
      case "code_inline":
        return `<code>${text(token.content)}</code>`;
      case "link_open":
        // An address in brackets inside a link: browsers read two links one after the other.
        if (this.#isInLink) throw unsure;
        this.#isInLink = true;
        return this.#link(token);
      case "link_close":
        this.#isInLink = false;
        return "</a>";
      case "image":
        return this.#image(token);
      default:
        if (!plainPhrases.has(token.tag) || token.nesting === 0 || (token.attrs?.length ?? 0) > 0)
          throw unsure;
        return token.nesting === 1 ? `<${token.tag}>` : `</${token.tag}>`;
    }
  }

  #link({ attrs }: Token): string {
    let html = "<a";
    for (const [name, written] of attrs ?? []) {
      const value = String(written);
      if (name !== "href" && name !== "title") throw unsure;
      if (name === "href" && !isKeptAddress(value, addressSchemes.href)) throw unsure;
      const isOwn = name === "href" && value.startsWith("#") && this.#anchors.has(`h-${value.slice(1)}`);
      html += ` ${name}="${attribute(isOwn ? `#h-${value.slice(1)}` : value)}"`;
    }
    return `${html}>`;
  }

  #image(token: Token): string {
    let html = "<img";
    for (const [name, written] of token.attrs ?? []) {
      const value = String(written);
      if (name !== "src" && name !== "alt" && name !== "title") throw unsure;
      if (name === "src" && !isKeptAddress(value, addressSchemes.src)) throw unsure;
      html += ` ${name}="${attribute(name === "alt" ? alternative(token.children ?? []) : value)}"`;
    }
    return `${html} loading="lazy" decoding="async">`;
  }
}

/** What markdown-it writes into `alt`: the words of what stands between the brackets. */
function alternative(tokens: readonly Token[]): string {
  let words = "";
  for (const token of tokens) {
    if (token.type === "text" || token.type === "code_inline") words += token.content;
    else if (token.type === "image") words += alternative(token.children ?? []);
    else if (token.type === "softbreak" || token.type === "hardbreak") words += "\n";
    else if (token.type === "html_inline") throw unsure;
  }
  return words;
}

function leadingText(tokens: readonly Token[]): string {
  let leading = "";
  for (const { type, content } of tokens) {
    if (type !== "text" && type !== "softbreak") return leading;
    leading += type === "text" ? content : "\n";
  }
  return leading;
}

/** `[x] flour` at the start of a list's item. */
function task({ type, content }: Token, next: Token | undefined): string {
  const marker = /^\[([ xX])\] +(?=\S|$)/.exec(content);
  const isAlone = marker?.[0].length === content.length;
  if (type !== "text" || marker === null || (isAlone && (next === undefined || next.type.endsWith("break"))))
    throw unsure;
  const checked = marker[1] === " " ? "" : " checked";
  return `<input type="checkbox"${checked} disabled> ${text(content.slice(marker[0].length))}`;
}

/** The language that a fence names, if highlighting may hear of it. */
function languageOf({ info }: Token): string | undefined {
  const [name = ""] = info.trim().split(/\s+/, 1);
  // What Markdown would have to unescape is left to it.
  if (/[\\&]/.test(name)) throw unsure;
  return /^[\w+#-]{1,24}$/.test(name) ? name : undefined;
}

function nameHeadings(tokens: readonly Token[]): Heading[] {
  const nameHeading = createHeadingNames();
  return tokens.flatMap((token, index) =>
    token.type === "heading_open"
      ? [nameHeading(Number(token.tag.slice(1)), words(tokens[index + 1]?.children ?? []))]
      : [],
  );
}

function words(tokens: readonly Token[]): string {
  let all = "";
  for (const { type, content } of tokens) {
    if (type === "text" || type === "code_inline") all += content;
    else if (type === "softbreak" || type === "hardbreak") all += "\n";
  }
  return all;
}

/** Text as the sanitiser's serialiser writes it. A carriage return, which only a reference can bring, becomes a line feed there. */
function text(value: string): string {
  if (value.includes("\r")) throw unsure;
  return /[<&]/.test(value) ? value.replaceAll("&", "&#x26;").replaceAll("<", "&#x3C;") : value;
}

const references: Readonly<Record<string, string>> = {
  '"': "&#x22;",
  "&": "&#x26;",
  "'": "&#x27;",
  "`": "&#x60;",
};

function attribute(value: string): string {
  if (/[\r\0]/.test(value)) throw unsure;
  return /["&'`]/.test(value)
    ? value.replaceAll(/["&'`]/g, (character) => references[character] ?? "")
    : value;
}
