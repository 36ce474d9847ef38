import { InsertionMode, Parser, html } from "parse5";
import type { ParserOptions, Token } from "parse5";
import { CurtainwallError } from "../shared/index.ts";
import type { HtmlErrorCode } from "./errors.ts";
import { factTree } from "./fact-tree.ts";
import type { FactNode, FactTreeMap } from "./fact-tree.ts";

/** A start tag of the page, in offsets of its text. */
export interface ParsedTag {
  readonly token: Token.TagToken;
  /** As written, before SVG's names are adjusted. */
  readonly attributes: readonly { readonly name: string; readonly value: string }[];
  readonly from: number;
  readonly to: number;
  readonly isInert: boolean;
  /** Undefined if tree construction ignored the tag. */
  element: FactNode | undefined;
  /** Where its element's content ends and where the element does; undefined as long as it is open. */
  closed: { readonly contentTo: number; readonly to: number } | undefined;
}

/** Where the head is, in offsets of the page's text. */
export interface ParsedHead {
  from: number;
  to: number | undefined;
}

/** Formatting elements that tree construction opens again count towards this: each may be opened in each of a page's paragraphs. */
const maxElementsWithoutTag = 2_000_000;

/**
 * parse5, which tells of every start tag in the order of the page. Two differences make it read as today's browsers do:
 * what stands in a `<select>` is read like anything else (HTML since 2025), and start tags that tree construction ignores are told too,
 * as another version of a browser may not ignore them.
 */
export class FactsParser extends Parser<FactTreeMap> {
  readonly tags: ParsedTag[] = [];
  readonly head: ParsedHead = { from: 0, to: undefined };

  #elements = 0;
  #current: ParsedTag | undefined;
  #open = new Map<FactNode, ParsedTag>();

  constructor(options: ParserOptions<FactTreeMap>, document?: FactNode, context?: FactNode | null) {
    const listener: { parser?: FactsParser } = {};
    const treeAdapter = factTree({
      created: () => listener.parser?.countElement(),
      attached: (element, from) => listener.parser?.noteAttached(element, from),
      closed: (element) => listener.parser?.noteClosed(element),
    });
    super({ ...options, treeAdapter, sourceCodeLocationInfo: true }, document, context);
    listener.parser = this;
  }

  /** Parses a page. */
  static read(text: string): FactsParser {
    const parser = new FactsParser({});
    parser.tokenizer.write(text, true);
    return parser;
  }

  /** Parses what stands in a `<noscript>`, as a browser without scripting would. */
  static readNoscript(text: string): FactsParser {
    const context = { treeAdapter: silentTree, scriptingEnabled: false };
    const div = silentTree.createElement("div", html.NS.HTML, []);
    const parser = FactsParser.getFragmentParser<FactTreeMap>(div, context);
    // It is made by `new this`.
    if (!(parser instanceof FactsParser)) throw new TypeError("parse5 made another parser");
    parser.tokenizer.write(text, true);
    return parser;
  }

  override onStartTag(token: Token.TagToken): void {
    const { startOffset: from = 0, endOffset: to = 0 } = token.location ?? {};
    const attributes = token.attrs.map(({ name, value }) => ({ name, value }));
    const isInert = this.openElements.tmplCount > 0;
    const tag: ParsedTag = { token, attributes, from, to, isInert, element: undefined, closed: undefined };
    const mode = this.insertionMode;
    const hadHead = this.headElement !== null;
    this.tags.push(tag);
    this.#current = tag;
    super.onStartTag(token);
    if (isSelectMode(this.insertionMode))
      this.insertionMode = bodyModes.has(mode) ? mode : InsertionMode.IN_BODY;
    const { element } = tag;
    if (element === undefined || element.namespaceURI !== html.NS.HTML) return;
    if (element.tagName === "html" || (element.tagName === "head" && !hadHead)) this.head.from = to;
  }

  override onEndTag(token: Token.TagToken): void {
    const mode = this.insertionMode;
    super.onEndTag(token);
    if (token.tagName !== "head" || mode === this.insertionMode) return;
    if (this.insertionMode === InsertionMode.AFTER_HEAD) this.head.to = token.location?.startOffset;
  }

  override onDoctype(token: Token.DoctypeToken): void {
    if (this.insertionMode === InsertionMode.INITIAL) this.head.from = token.location?.endOffset ?? 0;
    super.onDoctype(token);
  }

  override _resetInsertionModeForSelect(): void {
    this.insertionMode = InsertionMode.IN_BODY;
  }

  countElement(): void {
    this.#elements++;
    if (this.#elements - this.tags.length <= maxElementsWithoutTag) return;
    throw new CurtainwallError<HtmlErrorCode>(
      "HTML_PAGE_TOO_COMPLEX",
      `The page leaves so many formatting elements open that reading it makes over ${maxElementsWithoutTag} more.`,
      { hint: "Close its <b>, <i>, <font> and the like where they end." },
    );
  }

  noteAttached(element: FactNode, from: number): void {
    const tag = this.#current;
    if (tag === undefined || tag.from !== from || tag.element !== undefined) return;
    tag.element = element;
    if (hasContent.has(element.tagName)) this.#open.set(element, tag);
  }

  noteClosed(element: FactNode): void {
    const tag = this.#open.get(element);
    if (tag === undefined) return;
    this.#open.delete(element);
    const { currentToken } = this;
    const { startOffset = 0, endOffset = 0 } = currentToken?.location ?? {};
    if (currentToken === tag.token) tag.closed = { contentTo: tag.to, to: tag.to };
    else if (currentToken?.type === endTag && (currentToken as Token.TagToken).tagName === element.tagName)
      tag.closed = { contentTo: startOffset, to: endOffset };
    else tag.closed = { contentTo: startOffset, to: startOffset };
  }
}

/** `TokenType.END_TAG`, which parse5 does not export. */
const endTag: Token.Token["type"] = 4;

const hasContent = new Set(["script", "style", "noscript"]);

const silentTree = factTree({ created: () => {}, attached: () => {}, closed: () => {} });

/** In these modes a `<select>` changes nothing. */
const bodyModes = new Set([
  InsertionMode.IN_BODY,
  InsertionMode.IN_TABLE,
  InsertionMode.IN_CAPTION,
  InsertionMode.IN_TABLE_BODY,
  InsertionMode.IN_ROW,
  InsertionMode.IN_CELL,
]);

function isSelectMode(mode: InsertionMode): boolean {
  return mode === InsertionMode.IN_SELECT || mode === InsertionMode.IN_SELECT_IN_TABLE;
}
