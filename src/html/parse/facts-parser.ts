import { InsertionMode, Parser, html } from "parse5";
import type { ParserOptions, Token } from "parse5";
import { CurtainwallError } from "../../shared/index.ts";
import type { HtmlErrorCode } from "../errors.ts";
import { factTree } from "./fact-tree.ts";
import type { FactNode, FactTreeMap } from "./fact-tree.ts";

/** A start tag of the page, in offsets of its text. */
export interface ParsedTag {
  readonly name: string;
  readonly namespace: html.NS;
  /** As written, before SVG's names are adjusted. */
  readonly attributes: readonly { readonly name: string; readonly value: string }[];
  readonly from: number;
  readonly to: number;
  readonly isInert: boolean;
  /** Of those that hold text, unless tree construction ignored the tag. */
  readonly content: ParsedContent | undefined;
}

/** An element that holds text. */
export interface ParsedContent {
  readonly element: FactNode;
  /** Where its content ends and where the element does; undefined as long as it is open. */
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
 * parse5, which tells of every start tag that may carry a fact, in the order of the page. Two differences make it read as today's browsers do:
 * what stands in a `<select>` is read like anything else (HTML since 2025), and start tags that tree construction ignores are told too,
 * as another version of a browser may not ignore them.
 */
export class FactsParser extends Parser<FactTreeMap> {
  readonly tags: ParsedTag[] = [];
  readonly head: ParsedHead = { from: 0, to: undefined };

  /** Elements that were made without a tag of their own. */
  #implied = 0;
  /** The start tag that is being worked on, and the element that became of it. */
  #current = { from: -1, to: -1, element: undefined as FactNode | undefined };
  #open = new Map<FactNode, ParsedContent>();

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
    // Tree construction changes the names of some.
    const attributes = token.attrs.map(({ name, value }) => ({ name, value }));
    const written = token.tagName;
    const isInert = this.openElements.tmplCount > 0;
    const mode = this.insertionMode;
    const hadHead = this.headElement !== null;
    const current = { from, to, element: undefined as FactNode | undefined };
    this.#current = current;
    this.#implied--;
    super.onStartTag(token);
    if (isSelectMode(this.insertionMode))
      this.insertionMode = bodyModes.has(mode) ? mode : InsertionMode.IN_BODY;
    const { tagName: name = written, namespaceURI: namespace = html.NS.HTML } = current.element ?? {};
    if (attributes.length > 0 || isTelling.has(name)) {
      const content = this.#contentOf(current.element);
      this.tags.push({ name, namespace, attributes, from, to, isInert, content });
    }
    if (current.element === undefined || namespace !== html.NS.HTML) return;
    if (name === "html" || (name === "head" && !hadHead)) this.head.from = to;
  }

  #contentOf(element: FactNode | undefined): ParsedContent | undefined {
    if (element === undefined || !hasContent.has(element.tagName)) return undefined;
    const { to } = this.#current;
    // What is no longer open was closed by its own `/>`.
    return this.#open.get(element) ?? { element, closed: { contentTo: to, to } };
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
    this.#implied++;
    if (this.#implied <= maxElementsWithoutTag) return;
    throw new CurtainwallError<HtmlErrorCode>(
      "HTML_PAGE_TOO_COMPLEX",
      `The page leaves so many formatting elements open that reading it makes over ${maxElementsWithoutTag} more.`,
      { hint: "Close its <b>, <i>, <font> and the like where they end." },
    );
  }

  noteAttached(element: FactNode, from: number): void {
    const current = this.#current;
    if (current.from !== from || current.element !== undefined) return;
    current.element = element;
    if (hasContent.has(element.tagName)) this.#open.set(element, { element, closed: undefined });
  }

  noteClosed(element: FactNode): void {
    const content = this.#open.get(element);
    if (content === undefined) return;
    this.#open.delete(element);
    const { currentToken } = this;
    const { startOffset = 0, endOffset = 0 } = currentToken?.location ?? {};
    const isOwn =
      currentToken?.type === endTag && (currentToken as Token.TagToken).tagName === element.tagName;
    content.closed = { contentTo: startOffset, to: isOwn ? endOffset : startOffset };
  }
}

/** `TokenType.END_TAG`, which parse5 does not export. */
const endTag: Token.Token["type"] = 4;

const hasContent = new Set(["script", "style", "noscript"]);

/** Elements that tell something even without an attribute. */
const isTelling = new Set([...hasContent, "form"]);

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
