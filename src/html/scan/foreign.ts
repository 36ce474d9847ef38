import { exclamationMark, hyphen, lessThan, questionMark, solidus } from "./markup-bytes.ts";
import { readAttributes } from "../facts/attributes.ts";
import type { Mark } from "./marks.ts";
import { tokenizedName } from "../text/names.ts";
import { indexOfByte, latin1, utf8 } from "../runtime.ts";
import { endsTagName, isLetter } from "./scan-tables.ts";
import { givenUp } from "./tokens.ts";
import type { Tokens } from "./tokens.ts";

/** A start tag: its `to` is behind its `>`. */
type TagPlace = Pick<Mark, "from" | "nameTo" | "to">;

/** What is done with a tag in SVG or MathML, each of which may matter. The rest as in {@link Mark}. */
type Add = (tag: TagPlace, namespace: "svg" | "math", contentTo: number, to: number) => void;

/** Reads SVG or MathML, from behind its start tag up to its end tag or the page's end. Its tags must nest, and hold no HTML. */
export function readForeign(tokens: Tokens, root: TagPlace, add: Add): number {
  return new ForeignReader(tokens, root, add).read(root);
}

class ForeignReader {
  readonly #tokens: Tokens;
  readonly #bytes: Uint8Array;
  readonly #namespace: "svg" | "math";
  readonly #add: Add;
  /** Names of the elements that are open. */
  readonly #open: string[] = [];

  constructor(tokens: Tokens, { from }: TagPlace, add: Add) {
    this.#tokens = tokens;
    this.#bytes = tokens.bytes;
    // `m` or `M`
    this.#namespace = ((tokens.bytes[from + 1] ?? 0) | 0x20) === 0x6d ? "math" : "svg";
    this.#add = add;
  }

  read(root: TagPlace): number {
    const bytes = this.#bytes;
    let at = this.#take(root);
    while (this.#open.length > 0 && at !== givenUp) {
      while (bytes[at] !== lessThan) at++;
      if (at >= this.#tokens.end) return this.#tokens.end;
      const next = bytes[at + 1] ?? 0;
      if (isLetter[next] === 1) at = this.#readTag(at);
      else if (next === solidus) at = this.#close(at);
      else if (next === exclamationMark) at = this.#readComment(at);
      else if (next === questionMark) at = this.#tokens.skipTo(at + 1);
      else at++;
    }
    return at;
  }

  #readTag(from: number): number {
    const nameTo = this.#nameEnd(from + 2);
    const to = this.#tokens.skipTag(nameTo);
    if (to === givenUp) return givenUp;
    if (holdsHtml.has(this.#open.at(-1) ?? ""))
      return this.#tokens.giveUp("HTML stands inside SVG or MathML");
    return this.#take({ from, nameTo, to });
  }

  #take(tag: TagPlace): number {
    const { from, nameTo, to } = tag;
    const { attributes, selfClosing } = readAttributes(latin1(this.#bytes, from, to), nameTo - from);
    const name = tokenizedName(utf8(this.#bytes, from + 1, nameTo));
    if (endsForeign.has(name) || (name === "font" && attributes.length > 0))
      return this.#tokens.giveUp("HTML stands inside SVG or MathML");
    const holdsText = this.#namespace === "svg" && (name === "script" || name === "style");
    if (holdsText && !selfClosing) return this.#readText(tag);
    if (!selfClosing) this.#open.push(name);
    this.#add(tag, this.#namespace, holdsText ? to : -1, to);
    return to;
  }

  /** A script or style in SVG is markup like anything else there: only one that holds none is read here. */
  #readText(tag: TagPlace): number {
    const { from, nameTo, to } = tag;
    const close = this.#tokens.findClose(to, from, nameTo);
    if (
      close === undefined ||
      indexOfByte(this.#bytes, lessThan, to) !== close ||
      latin1(this.#bytes, to, close).includes("&")
    )
      return this.#tokens.giveUp("a script or style in SVG holds markup");
    const after = this.#tokens.skipTag(close + nameTo - from + 1);
    if (after !== givenUp) this.#add(tag, "svg", close, after);
    return after;
  }

  #close(from: number): number {
    const nameTo = this.#nameEnd(from + 2);
    if (tokenizedName(utf8(this.#bytes, from + 2, nameTo)) !== this.#open.pop())
      return this.#tokens.giveUp("SVG or MathML does not nest");
    return this.#tokens.skipTag(nameTo);
  }

  #nameEnd(from: number): number {
    let at = from;
    while (endsTagName[this.#bytes[at] ?? 0] === 0) at++;
    return at;
  }

  #readComment(from: number): number {
    const isComment = this.#bytes[from + 2] === hyphen && this.#bytes[from + 3] === hyphen;
    return isComment
      ? this.#tokens.skipComment(from)
      : this.#tokens.giveUp("SVG or MathML has a CDATA section");
  }
}

/** https://html.spec.whatwg.org/multipage/parsing.html#html-integration-point, and MathML's; asked in either namespace, to be safe. */
const holdsHtml = new Set([
  "annotation-xml",
  "desc",
  "foreignobject",
  "mi",
  "mn",
  "mo",
  "ms",
  "mtext",
  "title",
]);

/** Start tags that end SVG and MathML: https://html.spec.whatwg.org/multipage/parsing.html#parsing-main-inforeign */
const endsForeign = new Set(
  (
    "b big blockquote body br center code dd div dl dt em embed h1 h2 h3 h4 h5 h6 head hr i img li listing menu meta nobr ol p pre " +
    "ruby s small span strong strike sub sup table tt u ul var"
  ).split(" "),
);
