import { readForeign } from "./foreign.ts";
import {
  apostrophe,
  equalsSign,
  exclamationMark,
  greaterThan,
  hyphen,
  lessThan,
  questionMark,
  quotationMark,
  solidus,
  space,
} from "./markup-bytes.ts";
import type { Mark } from "./marks.ts";
import { borrowCopy, giveBackCopy } from "./page-bytes.ts";
import type { PageCopy } from "./page-bytes.ts";
import { latin1 } from "../runtime.ts";
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
import { givenUp, Tokens } from "./tokens.ts";
import { mayMatter, mayStartScript, weigh } from "./weigh.ts";
import type { Wanted } from "./weigh.ts";

/** How far tree construction is, as far as it matters where the head ends. */
const phase = { initial: 0, beforeHtml: 1, beforeHead: 2, inHead: 3, afterHead: 4, inBody: 5 } as const;

type Phase = (typeof phase)[keyof typeof phase];

/** What a scanner is made for. */
export interface ScanContext {
  readonly wanted: Wanted;
  /** Gets the tags that matter, in the order of the page. */
  readonly marks: Mark[];
  /** Offset of these bytes in the page. */
  readonly base: number;
  /** They stand in a `<noscript>` and are read as without scripting. */
  readonly isNoscript: boolean;
}

/** A start tag that was read to its end. */
interface ScannedTag {
  readonly from: number;
  readonly nameTo: number;
  readonly to: number;
  /** The roles of its name. */
  readonly what: number;
  readonly isNotable: boolean;
}

/** Finds the tags that matter in one page, or in what one `<noscript>` holds. */
export class PageScanner extends Tokens {
  headStart = 0;
  headEnd: number | undefined;
  readonly #context: ScanContext;
  readonly #copy: PageCopy;
  readonly #wanted: Wanted;
  /** Tags with any of these roles are looked at whatever their attributes. */
  readonly #notable: number;
  #phase: Phase;
  /** How many `<template>` are open. What stands in one has no part in where the head ends. */
  #templates = 0;

  constructor(page: Uint8Array, context: ScanContext) {
    const { wanted, isNoscript } = context;
    // What is wanted beyond what matters to hardening stands on most tags.
    const copy = borrowCopy(page, !wanted.links && !wanted.ids && !isNoscript);
    super(copy.bytes, page.length);
    this.#copy = copy;
    this.#context = context;
    this.#wanted = wanted;
    this.#notable = wanted.links ? role.facts | role.link : role.facts;
    this.#phase = isNoscript ? phase.inBody : phase.initial;
  }

  /** Reads everything. Gives the reason if it gave up. */
  read(from: number): string | undefined {
    const { bytes, end } = this;
    const { passOver } = this.#copy;
    this.headStart = from;
    let at = from;
    while (at >= 0) {
      if (passOver !== undefined && this.#phase === phase.inBody && this.#templates === 0)
        at = passOver(at, end);
      const textFrom = at;
      while (bytes[at] !== lessThan) at++;
      if (this.#phase !== phase.inBody) this.#noteText(textFrom, Math.min(at, end));
      if (at >= end) break;
      const next = bytes[at + 1] ?? 0;
      if (isLetter[next] === 1) at = this.#readStartTag(at);
      else if (next === solidus) at = this.#readEndTag(at);
      else at = this.#readMarkup(at);
    }
    giveBackCopy(this.#copy);
    return this.reason;
  }

  /** The loop that most of the time goes to: names and values are passed over unread unless they may matter. */
  #readStartTag(from: number): number {
    const bytes = this.bytes;
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
        !isNotable &&
        ((mayMatter[byte] ?? 0) & (what | role.any)) !== 0 &&
        weigh(bytes, at, what, this.#wanted);
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
    if (at > this.end) return this.giveUp("a tag is not finished");
    if (what === 0 && !isNotable && this.#phase === phase.inBody) return at;
    return this.#takeStartTag({ from, nameTo, to: at, what, isNotable });
  }

  #takeStartTag(tag: ScannedTag): number {
    const { what, to } = tag;
    if ((what & role.unclear) !== 0) return this.giveUp("it has a frameset or plaintext");
    if ((what & role.column) !== 0 && this.#templates > 0) return this.giveUp("a template holds a column");
    if (this.#phase !== phase.inBody && this.#templates === 0) this.#advance(what, to);
    if ((what & role.foreign) !== 0)
      return readForeign(this, tag, (inner, namespace, contentTo, elementTo) =>
        this.#mark(inner, 0, namespace, contentTo, elementTo),
      );
    if ((what & role.noscript) !== 0 && !this.#context.isNoscript) return this.#readNoscript(tag);
    if ((what & role.noscript) === 0 && (what & (role.raw | role.escapable | role.script)) !== 0)
      return this.#readText(tag);
    if (tag.isNotable) {
      // One that is not in the head may end up before others in the tree.
      if ((what & role.base) !== 0 && this.#phase === phase.inBody && !this.#isInert())
        return this.giveUp("it has a base outside its head");
      this.#mark(tag, what, "html", -1);
    }
    if ((what & role.template) !== 0) this.#templates++;
    return to;
  }

  #isInert(): boolean {
    return this.#context.isNoscript || this.#templates > 0;
  }

  #mark(
    { from, nameTo, to }: Pick<Mark, "from" | "nameTo" | "to">,
    what: number,
    namespace: Mark["namespace"],
    contentTo: number,
    elementTo = to,
  ): void {
    const { base, marks } = this.#context;
    marks.push({
      from: base + from,
      nameTo: base + nameTo,
      tagTo: base + to,
      contentTo: contentTo === -1 ? -1 : base + contentTo,
      to: base + elementTo,
      what,
      namespace,
      isInert: this.#isInert(),
    });
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
      if (isWhite[this.bytes[at] ?? 0] === 0) {
        this.#phase = phase.inBody;
        return;
      }
  }

  /** Goes behind an element that holds text, and marks it with its text if it is a script or style. */
  #readText(tag: ScannedTag): number {
    const { what, from, nameTo, to } = tag;
    const close = this.findClose(to, from, nameTo);
    if (close === undefined) return this.giveUp("an element that holds text is not closed");
    if ((what & role.script) !== 0 && this.#opensScriptAgain(to, close))
      return this.giveUp("a script opens another one in a comment");
    const after = this.skipTag(close + nameTo - from + 1);
    if (after === givenUp) return givenUp;
    if ((what & role.metadata) !== 0 && (what & role.facts) !== 0)
      this.#mark(tag, what, "html", close, after);
    else if (tag.isNotable) this.#mark(tag, what, "html", -1);
    return after;
  }

  /** In a comment inside a script, `<script` makes the next end tag part of the text. */
  #opensScriptAgain(from: number, to: number): boolean {
    if (to - from < "<!--<script".length) return false;
    const text = latin1(this.bytes, from, to);
    const comment = text.indexOf("<!--");
    return comment !== -1 && /<script/i.test(text.slice(comment));
  }

  #readNoscript(tag: ScannedTag): number {
    const { from, nameTo, to, what } = tag;
    const close = this.findClose(to, from, nameTo);
    if (close === undefined) return this.giveUp("an element that holds text is not closed");
    const after = this.skipTag(close + nameTo - from + 1);
    if (after === givenUp) return givenUp;
    if (tag.isNotable) this.#mark(tag, what, "html", -1);
    const inside = new PageScanner(this.bytes.subarray(to, close), {
      ...this.#context,
      wanted: { ...this.#wanted, ids: false },
      base: this.#context.base + to,
      isNoscript: true,
    });
    const reason = inside.read(0);
    return reason === undefined ? after : this.giveUp(reason);
  }

  #readEndTag(from: number): number {
    const bytes = this.bytes;
    const nameFrom = from + 2;
    if (isLetter[bytes[nameFrom] ?? 0] === 0) return this.#readOddEndTag(from);
    let at = nameFrom + 1;
    while (endsTagName[bytes[at] ?? 0] === 0) at++;
    const length = at - nameFrom;
    if (this.#phase !== phase.inBody || length === templateLength) this.#takeEndTag(from, at);
    return bytes[at] === greaterThan && at < this.end ? at + 1 : this.skipTag(at);
  }

  #takeEndTag(from: number, nameTo: number): void {
    const name = latin1(this.bytes, from + 2, nameTo).toLowerCase();
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
    if (this.bytes[from + 2] === greaterThan) return Math.min(from + 3, this.end);
    return this.skipTo(from + 2);
  }

  #readMarkup(from: number): number {
    const next = this.bytes[from + 1];
    if (next === exclamationMark) return this.#readDeclaration(from);
    if (next === questionMark) return this.skipTo(from + 1);
    // A lone `<` is text.
    if (this.#phase !== phase.inBody) this.#noteText(from, from + 1);
    return from + 1;
  }

  #readDeclaration(from: number): number {
    const bytes = this.bytes;
    if (bytes[from + 2] === hyphen && bytes[from + 3] === hyphen) return this.skipComment(from);
    const to = this.skipTo(from + 2);
    if (this.#phase === phase.initial && /^<!doctype/i.test(latin1(bytes, from, from + 9))) {
      this.headStart = to;
      this.#phase = phase.beforeHtml;
    }
    return to;
  }
}

const templateLength = "template".length;
