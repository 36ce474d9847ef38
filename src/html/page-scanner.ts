import { readAttributes } from "./attributes.ts";
import type { Collector } from "./collect.ts";
import { createKnownTexts } from "./known-texts.ts";
import { tokenizedName } from "./names.ts";
import type { ReadPageOptions } from "./page-facts.ts";
import { latin1, utf8 } from "./runtime.ts";
import {
  endsAttributeName,
  endsBareValue,
  endsTagName,
  isBetween,
  isLetter,
  isWhite,
  mixName,
  role,
  roleOf,
} from "./scan-tables.ts";
import { readScannedTag } from "./scanned-tag.ts";
import type { ScannedTag } from "./scanned-tag.ts";
import type { ElementText, StartTag } from "./start-tag.ts";
import { withNewlines } from "./text.ts";

const space = 0x20;
const lessThan = 0x3c;
const greaterThan = 0x3e;
const solidus = 0x2f;
const equalsSign = 0x3d;
const quotationMark = 0x22;
const apostrophe = 0x27;
const hyphen = 0x2d;
const exclamationMark = 0x21;

/** Follows a page in the buffer, so that each loop that looks for one of these ends without counting. */
const sentinels = [
  greaterThan,
  quotationMark,
  greaterThan,
  apostrophe,
  greaterThan,
  lessThan,
  greaterThan,
  greaterThan,
];

/** How far tree construction is, as far as it matters where the head ends. */
const phase = { initial: 0, beforeHtml: 1, beforeHead: 2, inHead: 3, afterHead: 4, inBody: 5 } as const;

type Phase = (typeof phase)[keyof typeof phase];

/** Given up: {@link PageScanner.reason} tells why. */
const givenUp = -1;

/** What a scanner is made for. */
export interface ScanContext {
  readonly collector: Collector;
  readonly options: ReadPageOptions;
  /** Offset of these bytes in the page. */
  readonly base: number;
  /** They stand in a `<noscript>` and are read as without scripting. */
  readonly isNoscript: boolean;
}

/** Reads one page, or what one `<noscript>` holds. */
export class PageScanner {
  headStart: number;
  headEnd: number | undefined;
  reason: string | undefined;
  readonly #bytes: Uint8Array;
  readonly #end: number;
  readonly #context: ScanContext;
  readonly #wantsLinks: boolean;
  readonly #wantsIds: boolean;
  /** Tags with any of these roles are looked at whatever their attributes. */
  readonly #notable: number;
  #phase: Phase;
  /** How many `<template>` are open. What stands in one has no part in where the head ends. */
  #templates = 0;

  constructor(bytes: Uint8Array, context: ScanContext) {
    this.#bytes = borrowBuffer(bytes.length + sentinels.length);
    this.#bytes.set(bytes);
    this.#bytes.set(sentinels, bytes.length);
    this.#end = bytes.length;
    this.#context = context;
    this.#wantsLinks = context.options.links !== false;
    this.#wantsIds = context.options.ids === true && !context.isNoscript;
    this.#notable = this.#wantsLinks ? role.facts | role.link : role.facts;
    this.#phase = context.isNoscript ? phase.inBody : phase.initial;
    this.headStart = 0;
  }

  /** Reads everything. Gives the reason if it gave up. */
  read(from: number): string | undefined {
    const bytes = this.#bytes;
    const end = this.#end;
    this.headStart = from;
    let at = from;
    while (at >= 0) {
      const textFrom = at;
      while (bytes[at] !== lessThan) at++;
      if (this.#phase !== phase.inBody) this.#noteText(textFrom, Math.min(at, end));
      if (at >= end) break;
      const next = bytes[at + 1] ?? 0;
      if (isLetter[next] === 1) at = this.#readStartTag(at);
      else if (next === solidus) at = this.#readEndTag(at);
      else at = this.#readMarkup(at);
    }
    giveBackBuffer(bytes);
    return this.reason;
  }

  #giveUp(reason: string): number {
    this.reason = reason;
    return givenUp;
  }

  /** The loop that most of the time goes to: names and values are passed over unread unless they may matter. */
  #readStartTag(from: number): number {
    const bytes = this.#bytes;
    let at = from + 1;
    let hash = 0;
    let byte = bytes[at] ?? 0;
    do {
      hash = mixName(hash, byte);
      byte = bytes[++at] ?? 0;
    } while (byte > greaterThan || endsTagName[byte] === 0);
    const nameTo = at;
    const what = roleOf(bytes, from + 1, at, hash);
    let isNotable = (what & this.#notable) !== 0;
    for (;;) {
      while (byte <= solidus && isBetween[byte] === 1) byte = bytes[++at] ?? 0;
      if (byte === greaterThan) break;
      const isAddress =
        !isNotable && ((mayMatter[byte] ?? 0) & (what | role.any)) !== 0 && this.#weigh(at, what);
      if (isAddress === undefined) isNotable = true;
      do byte = bytes[++at] ?? 0;
      while (byte > greaterThan || endsAttributeName[byte] === 0);
      while (byte <= space && isWhite[byte] === 1) byte = bytes[++at] ?? 0;
      if (byte !== equalsSign) continue;
      do byte = bytes[++at] ?? 0;
      while (byte <= space && isWhite[byte] === 1);
      if (byte === quotationMark || byte === apostrophe) {
        const quote = byte;
        if (isAddress === true && mayStartScript[bytes[at + 1] ?? 0] === 1) isNotable = true;
        do byte = bytes[++at] ?? 0;
        while (byte !== quote);
        byte = bytes[++at] ?? 0;
      } else {
        if (isAddress === true && mayStartScript[byte] === 1) isNotable = true;
        while (byte > greaterThan || endsBareValue[byte] === 0) byte = bytes[++at] ?? 0;
      }
    }
    at++;
    if (at > this.#end) return this.#giveUp("a tag is not finished");
    if (what === 0 && !isNotable && this.#phase === phase.inBody) return at;
    return this.#takeStartTag({ from, nameTo, to: at, what, isNotable });
  }

  /** Whether an attribute's name makes its tag worth a look: undefined if so, true if that depends on the value, else false. */
  #weigh(at: number, what: number): boolean | undefined {
    const bytes = this.#bytes;
    const first = (bytes[at] ?? 0) | 0x20;
    const second = (bytes[at + 1] ?? 0) | 0x20;
    if (first === letter.o) return second === letter.n ? undefined : false;
    // `formaction`, not `form`
    if (first === letter.f) return this.#lower(at + 4) === letter.a ? undefined : false;
    if (first === letter.s) {
      const isStyle = second === letter.t && this.#lower(at + 2) === letter.y;
      return isStyle || (second === letter.r && isField(what)) ? undefined : false;
    }
    if (first === letter.b) return second === letter.a ? undefined : false;
    if (first === letter.i) return this.#wantsIds && second === letter.d ? undefined : false;
    // `http-equiv` and `charset`
    if ((what & role.meta) !== 0) return second === letter.t || second === letter.h ? undefined : false;
    if ((what & role.link) !== 0) return first === letter.r && !this.#onlyLeads(at) ? undefined : false;
    if ((what & role.anchor) === 0) return false;
    if (first === letter.h) return this.#wantsLinks ? undefined : second === letter.r;
    if (first === letter.n) return this.#wantsIds && second === letter.a ? undefined : false;
    // `ping` and `attributionsrc`
    return second === letter.i || second === letter.t ? undefined : false;
  }

  #lower(at: number): number {
    return (this.#bytes[at] ?? 0) | 0x20;
  }

  /** Whether this attribute is one that says of a `<link>` only that it leads somewhere; false if that takes more than a look. */
  #onlyLeads(at: number): boolean {
    const bytes = this.#bytes;
    if (bytes[at + 3] !== equalsSign || bytes[at + 4] !== quotationMark) return false;
    const from = at + 5;
    let to = from;
    while (to - from < maxLeadingLength && bytes[to] !== quotationMark) to++;
    return leadingRelations.has(latin1(bytes, from, to));
  }

  #takeStartTag(tag: ScannedTag): number {
    const { what, to } = tag;
    if ((what & role.unclear) !== 0) return this.#giveUp("it has a frameset or plaintext");
    if ((what & role.column) !== 0 && this.#templates > 0) return this.#giveUp("a template holds a column");
    if (this.#phase !== phase.inBody && this.#templates === 0) this.#advance(what, to);
    if ((what & role.foreign) !== 0) return this.#readForeign(tag);
    if ((what & role.noscript) !== 0 && !this.#context.isNoscript) return this.#readNoscript(tag);
    if ((what & role.noscript) === 0 && (what & (role.raw | role.escapable | role.script)) !== 0)
      return this.#readText(tag);
    if (tag.isNotable && !this.#add(this.#startTag(tag, "html"))) return givenUp;
    if ((what & role.template) !== 0) this.#templates++;
    return to;
  }

  /** Moves on from a start tag, as far as the body. */
  #advance(what: number, to: number): void {
    if ((what & role.html) !== 0) {
      if (this.#phase > phase.beforeHtml) return;
      this.headStart = to;
      this.#phase = phase.beforeHead;
      return;
    }
    if (this.#phase < phase.inHead) {
      this.#phase = phase.inHead;
      if ((what & role.head) !== 0) this.headStart = to;
    }
    if ((what & role.head) !== 0) return;
    const isOfHead =
      (what & role.metadata) !== 0 && ((what & role.noscript) === 0 || this.#phase === phase.inHead);
    if (!isOfHead) this.#phase = phase.inBody;
  }

  #noteText(from: number, to: number): void {
    if (this.#templates > 0) return;
    for (let at = from; at < to; at++)
      if (isWhite[this.#bytes[at] ?? 0] === 0) {
        this.#phase = phase.inBody;
        return;
      }
  }

  #add(tag: StartTag): boolean {
    // One that is not in the head may end up before others in the tree.
    if (tag.name === "base" && !tag.isInert && this.#phase === phase.inBody) {
      this.#giveUp("it has a base outside its head");
      return false;
    }
    this.#context.collector.add(tag);
    return true;
  }

  #startTag(tag: ScannedTag, namespace: StartTag["namespace"], content?: ElementText): StartTag {
    const { base, isNoscript } = this.#context;
    const isInert = isNoscript || this.#templates > 0;
    return readScannedTag(this.#bytes, tag, { base, namespace, isInert, content });
  }

  /** Goes behind an element that holds text, and takes the text of a script or style. */
  #readText(tag: ScannedTag): number {
    const { what, from, nameTo, to } = tag;
    const close = this.#findClose(to, tag);
    if (close === undefined) return this.#giveUp("an element that holds text is not closed");
    if ((what & role.script) !== 0 && this.#opensScriptAgain(to, close))
      return this.#giveUp("a script opens another one in a comment");
    const after = this.#skipTag(close + nameTo - from + 1);
    if (after === givenUp) return givenUp;
    if ((what & role.metadata) !== 0 && (what & role.facts) !== 0) {
      const content = this.#elementText({ from, to: after }, { from: to, to: close });
      return this.#add(this.#startTag(tag, "html", content)) ? after : givenUp;
    }
    if (tag.isNotable) this.#context.collector.add(this.#startTag(tag, "html"));
    return after;
  }

  #elementText(element: { from: number; to: number }, content: { from: number; to: number }): ElementText {
    const { base } = this.#context;
    return {
      element: { from: base + element.from, to: base + element.to },
      content: { from: base + content.from, to: base + content.to },
      text: texts.of(this.#bytes, content.from, content.to, () =>
        withNewlines(utf8(this.#bytes, content.from, content.to)),
      ),
    };
  }

  /** Finds the end tag of the same name. */
  #findClose(start: number, { from, nameTo }: ScannedTag): number | undefined {
    const bytes = this.#bytes;
    const length = nameTo - from - 1;
    for (let at = bytes.indexOf(lessThan, start); at < this.#end; at = bytes.indexOf(lessThan, at + 1)) {
      if (bytes[at + 1] !== solidus || endsTagName[bytes[at + 2 + length] ?? 0] === 0) continue;
      let same = 0;
      while (same < length && ((bytes[at + 2 + same] ?? 0) | 0x20) === ((bytes[from + 1 + same] ?? 0) | 0x20))
        same++;
      if (same === length) return at;
    }
    return undefined;
  }

  /** In a comment inside a script, `<script` makes the next end tag part of the text. */
  #opensScriptAgain(from: number, to: number): boolean {
    const text = latin1(this.#bytes, from, to);
    const comment = text.indexOf("<!--");
    return comment !== -1 && /<script/i.test(text.slice(comment));
  }

  #readNoscript(tag: ScannedTag): number {
    const { from, nameTo, to } = tag;
    const close = this.#findClose(to, tag);
    if (close === undefined) return this.#giveUp("an element that holds text is not closed");
    const after = this.#skipTag(close + nameTo - from + 1);
    if (after === givenUp) return givenUp;
    if (tag.isNotable) this.#context.collector.add(this.#startTag(tag, "html"));
    const inside = new PageScanner(this.#bytes.subarray(to, close), {
      ...this.#context,
      base: this.#context.base + to,
      isNoscript: true,
    });
    const reason = inside.read(0);
    return reason === undefined ? after : this.#giveUp(reason);
  }

  /** From behind a tag's name to behind the tag. */
  #skipTag(from: number): number {
    const bytes = this.#bytes;
    let at = from;
    let byte = bytes[at] ?? 0;
    for (;;) {
      while (byte <= solidus && isBetween[byte] === 1) byte = bytes[++at] ?? 0;
      if (byte === greaterThan) break;
      do byte = bytes[++at] ?? 0;
      while (byte > greaterThan || endsAttributeName[byte] === 0);
      while (byte <= space && isWhite[byte] === 1) byte = bytes[++at] ?? 0;
      if (byte !== equalsSign) continue;
      do byte = bytes[++at] ?? 0;
      while (byte <= space && isWhite[byte] === 1);
      if (byte === quotationMark || byte === apostrophe) {
        const quote = byte;
        do byte = bytes[++at] ?? 0;
        while (byte !== quote);
        byte = bytes[++at] ?? 0;
      } else {
        while (byte > greaterThan || endsBareValue[byte] === 0) byte = bytes[++at] ?? 0;
      }
    }
    return at < this.#end ? at + 1 : this.#giveUp("a tag is not finished");
  }

  #readEndTag(from: number): number {
    const bytes = this.#bytes;
    const nameFrom = from + 2;
    if (isLetter[bytes[nameFrom] ?? 0] === 0) return this.#readOddEndTag(from);
    let at = nameFrom + 1;
    while (endsTagName[bytes[at] ?? 0] === 0) at++;
    const length = at - nameFrom;
    if (this.#phase !== phase.inBody || length === templateLength) this.#takeEndTag(from, at);
    return bytes[at] === greaterThan && at < this.#end ? at + 1 : this.#skipTag(at);
  }

  #takeEndTag(from: number, nameTo: number): void {
    const name = latin1(this.#bytes, from + 2, nameTo).toLowerCase();
    if (this.#phase === phase.initial) this.#phase = phase.beforeHtml;
    if (name === "template") this.#templates = Math.max(0, this.#templates - 1);
    else if (this.#templates > 0 || this.#phase === phase.inBody) return;
    else if (name === "head" && this.#phase < phase.afterHead) {
      this.headEnd = this.#context.base + from;
      this.#phase = phase.afterHead;
    } else if (name === "body" || name === "html" || name === "br") this.#phase = phase.inBody;
  }

  #readOddEndTag(from: number): number {
    // `</` at the end is text, `</>` nothing, and anything else a comment.
    if (this.#bytes[from + 2] === greaterThan) return Math.min(from + 3, this.#end);
    return this.#skipTo(from + 2);
  }

  /** Behind the next `>`. */
  #skipTo(from: number): number {
    const found = this.#bytes.indexOf(greaterThan, from);
    return found < this.#end ? found + 1 : this.#giveUp("a comment is not closed");
  }

  #readMarkup(from: number): number {
    const next = this.#bytes[from + 1];
    if (next === exclamationMark) return this.#readDeclaration(from);
    if (next === 0x3f) return this.#skipTo(from + 1);
    // A lone `<` is text.
    if (this.#phase !== phase.inBody) this.#noteText(from, from + 1);
    return from + 1;
  }

  #readDeclaration(from: number): number {
    const bytes = this.#bytes;
    if (bytes[from + 2] === hyphen && bytes[from + 3] === hyphen) return this.#skipComment(from);
    const to = this.#skipTo(from + 2);
    if (this.#phase === phase.initial && /^<!doctype/i.test(latin1(bytes, from, from + 9))) {
      this.headStart = to;
      this.#phase = phase.beforeHtml;
    }
    return to;
  }

  /** https://html.spec.whatwg.org/multipage/parsing.html#comment-start-state and the states that follow it */
  #skipComment(from: number): number {
    const bytes = this.#bytes;
    const start = from + 4;
    if (bytes[start] === greaterThan)
      return start + 1 <= this.#end ? start + 1 : this.#giveUp("a comment is not closed");
    if (bytes[start] === hyphen && bytes[start + 1] === greaterThan && start + 2 <= this.#end)
      return start + 2;
    for (let at = start + 2; ; at++) {
      while (bytes[at] !== greaterThan) at++;
      if (at >= this.#end) return this.#giveUp("a comment is not closed");
      const isBang = bytes[at - 1] === exclamationMark;
      const last = isBang ? at - 2 : at - 1;
      if (last > start && bytes[last] === hyphen && bytes[last - 1] === hyphen) return at + 1;
    }
  }

  /** Reads SVG or MathML, up to its end tag or the page's end. Its tags must nest, and hold no HTML. */
  #readForeign(root: ScannedTag): number {
    const namespace =
      (this.#bytes[root.from + 1] ?? 0) === letter.m || (this.#bytes[root.from + 1] ?? 0) === letter.M
        ? "math"
        : "svg";
    const open: string[] = [];
    let at = this.#takeForeign(root, namespace, open);
    while (open.length > 0 && at !== givenUp) {
      while (this.#bytes[at] !== lessThan) at++;
      if (at >= this.#end) return this.#end;
      const next = this.#bytes[at + 1] ?? 0;
      if (isLetter[next] === 1) at = this.#readForeignTag(at, namespace, open);
      else if (next === solidus) at = this.#closeForeign(at, open);
      else if (next === exclamationMark) at = this.#readForeignComment(at);
      else if (next === 0x3f) at = this.#skipTo(at + 1);
      else at++;
    }
    return at;
  }

  #readForeignTag(from: number, namespace: "svg" | "math", open: string[]): number {
    let nameTo = from + 2;
    while (endsTagName[this.#bytes[nameTo] ?? 0] === 0) nameTo++;
    const to = this.#skipTag(nameTo);
    if (to === givenUp) return givenUp;
    if (holdsHtml.has(open.at(-1) ?? "")) return this.#giveUp("HTML stands inside SVG or MathML");
    return this.#takeForeign({ from, nameTo, to, what: 0, isNotable: true }, namespace, open);
  }

  #takeForeign(tag: ScannedTag, namespace: "svg" | "math", open: string[]): number {
    const { from, nameTo, to } = tag;
    const { attributes, selfClosing } = readAttributes(latin1(this.#bytes, from, to), nameTo - from);
    const name = tokenizedName(utf8(this.#bytes, from + 1, nameTo));
    if (endsForeign.has(name) || (name === "font" && attributes.length > 0))
      return this.#giveUp("HTML stands inside SVG or MathML");
    const holdsText = namespace === "svg" && (name === "script" || name === "style");
    if (holdsText && !selfClosing) return this.#readForeignText(tag);
    if (!selfClosing) open.push(name);
    const empty = holdsText ? this.#elementText({ from, to }, { from: to, to }) : undefined;
    this.#context.collector.add(this.#startTag(tag, namespace, empty));
    return to;
  }

  /** A script or style in SVG is markup like anything else there: only one that holds none is read here. */
  #readForeignText(tag: ScannedTag): number {
    const { from, nameTo, to } = tag;
    const close = this.#findClose(to, tag);
    if (
      close === undefined ||
      this.#bytes.indexOf(lessThan, to) !== close ||
      latin1(this.#bytes, to, close).includes("&")
    )
      return this.#giveUp("a script or style in SVG holds markup");
    const after = this.#skipTag(close + nameTo - from + 1);
    if (after === givenUp) return givenUp;
    const content = this.#elementText({ from, to: after }, { from: to, to: close });
    this.#context.collector.add(this.#startTag(tag, "svg", content));
    return after;
  }

  #closeForeign(from: number, open: string[]): number {
    let nameTo = from + 2;
    while (endsTagName[this.#bytes[nameTo] ?? 0] === 0) nameTo++;
    if (tokenizedName(utf8(this.#bytes, from + 2, nameTo)) !== open.pop())
      return this.#giveUp("SVG or MathML does not nest");
    return this.#skipTag(nameTo);
  }

  #readForeignComment(from: number): number {
    const isComment = this.#bytes[from + 2] === hyphen && this.#bytes[from + 3] === hyphen;
    return isComment ? this.#skipComment(from) : this.#giveUp("SVG or MathML has a CDATA section");
  }
}

const texts = createKnownTexts();

/** A buffer for the next page, so that not each page needs a new one. Pages inside a page find it taken and get their own. */
let spare: Uint8Array | undefined;
const maxSpareBytes = 2 ** 20;

function borrowBuffer(length: number): Uint8Array {
  const buffer = spare;
  spare = undefined;
  return buffer !== undefined && buffer.length >= length ? buffer : new Uint8Array(Math.max(length, 2 ** 16));
}

function giveBackBuffer(buffer: Uint8Array): void {
  if (buffer.length <= maxSpareBytes) spare = buffer;
}

const letter = {
  M: 0x4d,
  a: 0x61,
  b: 0x62,
  d: 0x64,
  f: 0x66,
  h: 0x68,
  i: 0x69,
  m: 0x6d,
  n: 0x6e,
  o: 0x6f,
  p: 0x70,
  r: 0x72,
  s: 0x73,
  t: 0x74,
  y: 0x79,
} as const;

function isField(what: number): boolean {
  return (what & role.field) !== 0;
}

/** Relations that fetch nothing, as pages write them; what else a `rel` says is looked at in full. */
const leadingRelations = new Set(
  (
    "alternate author bookmark canonical contents copyright first glossary help home index last license next prev previous search " +
    "start top up"
  ).split(" "),
);
const maxLeadingLength = 10;

const templateLength = "template".length;

/** The first letters of the names that `#weigh` knows, with the roles of the tags on which they count. */
const mayMatter = new Int32Array(256);
for (const [letters, roles] of [
  ["bios", role.any],
  ["f", role.field],
  ["h", role.anchor | role.meta],
  ["anp", role.anchor],
  ["c", role.meta],
  ["r", role.link],
] as const)
  for (const character of letters + letters.toUpperCase()) mayMatter[character.charCodeAt(0)] = roles;

/** What `javascript:` can begin with as written: itself, what the URL parser removes, or a reference. */
const mayStartScript = new Uint8Array(256);
for (let byte = 0; byte <= 0x20; byte++) mayStartScript[byte] = 1;
for (const character of "jJ&") mayStartScript[character.charCodeAt(0)] = 1;

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
