import {
  apostrophe,
  equalsSign,
  exclamationMark,
  greaterThan,
  hyphen,
  lessThan,
  quotationMark,
  solidus,
  space,
} from "./markup-bytes.ts";
import { indexOfByte } from "../runtime.ts";
import { endsAttributeName, endsBareValue, endsTagName, isBetween, isWhite } from "./scan-tables.ts";

/** What a step gives instead of where it ended: {@link Tokens.reason} tells why. */
export const givenUp = -1;

/** A page's bytes, and how to get past what stands in them. Each step takes and gives an offset. */
export class Tokens {
  /** Followed by what ends every loop: see `page-bytes.ts`. */
  readonly bytes: Uint8Array;
  readonly end: number;
  /** Why it gave up; undefined if it did not. */
  reason: string | undefined;

  constructor(bytes: Uint8Array, end: number) {
    this.bytes = bytes;
    this.end = end;
  }

  giveUp(reason: string): number {
    this.reason = reason;
    return givenUp;
  }

  /** From behind a tag's name to behind the tag. */
  skipTag(from: number): number {
    const bytes = this.bytes;
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
    return at < this.end ? at + 1 : this.giveUp("a tag is not finished");
  }

  /** Behind the next `>`. */
  skipTo(from: number): number {
    const found = indexOfByte(this.bytes, greaterThan, from);
    return found < this.end ? found + 1 : this.giveUp("a comment is not closed");
  }

  /** https://html.spec.whatwg.org/multipage/parsing.html#comment-start-state and the states that follow it */
  skipComment(from: number): number {
    const bytes = this.bytes;
    const start = from + 4;
    if (bytes[start] === greaterThan)
      return start + 1 <= this.end ? start + 1 : this.giveUp("a comment is not closed");
    if (bytes[start] === hyphen && bytes[start + 1] === greaterThan && start + 2 <= this.end)
      return start + 2;
    for (let at = start + 2; ; at++) {
      while (bytes[at] !== greaterThan) at++;
      if (at >= this.end) return this.giveUp("a comment is not closed");
      const isBang = bytes[at - 1] === exclamationMark;
      const last = isBang ? at - 2 : at - 1;
      if (last > start && bytes[last] === hyphen && bytes[last - 1] === hyphen) return at + 1;
    }
  }

  /** Finds the end tag that closes the element whose start tag has its name up to `nameTo`. */
  findClose(start: number, from: number, nameTo: number): number | undefined {
    const bytes = this.bytes;
    const length = nameTo - from - 1;
    for (
      let at = indexOfByte(bytes, lessThan, start);
      at < this.end;
      at = indexOfByte(bytes, lessThan, at + 1)
    ) {
      if (bytes[at + 1] !== solidus || endsTagName[bytes[at + 2 + length] ?? 0] === 0) continue;
      let same = 0;
      while (same < length && ((bytes[at + 2 + same] ?? 0) | 0x20) === ((bytes[from + 1 + same] ?? 0) | 0x20))
        same++;
      if (same === length) return at;
    }
    return undefined;
  }
}
