import { CurtainwallError } from "../shared/index.ts";
import type { HtmlErrorCode } from "./errors.ts";
import type { AttributeFact, Span } from "./facts/page-facts.ts";
import { escapeAttribute } from "./text/escape.ts";

/** A change of a page: what stands in its place afterwards. An empty span inserts. */
export interface Edit {
  readonly span: Span;
  readonly replacement: string;
}

const encoder = new TextEncoder();

/**
 * Applies edits to a page in one pass. They may come in any order; those that insert at the same place stay in theirs.
 *
 * @throws {CurtainwallError} `HTML_EDIT_INVALID` if two of them overlap or one lies outside the page.
 */
export function splice(bytes: Uint8Array, edits: readonly Edit[]): Uint8Array {
  if (edits.length === 0) return bytes;
  const ordered = isOrdered(edits) ? edits : edits.toSorted((left, right) => compare(left.span, right.span));
  const encoded = ordered.map(({ replacement }) =>
    replacement === "" ? undefined : encoder.encode(replacement),
  );
  const result = new Uint8Array(lengthAfter(bytes, ordered, encoded));
  let read = 0;
  let written = 0;
  for (const [index, { span }] of ordered.entries()) {
    result.set(bytes.subarray(read, span.from), written);
    written += span.from - read;
    const replacement = encoded[index];
    if (replacement !== undefined) result.set(replacement, written);
    written += replacement?.length ?? 0;
    read = span.to;
  }
  result.set(bytes.subarray(read), written);
  return result;
}

function compare(left: Span, right: Span): number {
  return left.from - right.from || left.to - right.to;
}

function isOrdered(edits: readonly Edit[]): boolean {
  let before: Span = { from: 0, to: 0 };
  for (const { span } of edits) {
    if (compare(before, span) > 0) return false;
    before = span;
  }
  return true;
}

function lengthAfter(
  bytes: Uint8Array,
  edits: readonly Edit[],
  encoded: readonly (Uint8Array | undefined)[],
): number {
  let length = bytes.length;
  let to = 0;
  for (const [index, { span }] of edits.entries()) {
    if (span.from < to || span.to < span.from || span.to > bytes.length)
      throw invalid(span, to, bytes.length);
    to = span.to;
    length += (encoded[index]?.length ?? 0) - (span.to - span.from);
  }
  return length;
}

function invalid({ from, to }: Span, before: number, length: number): CurtainwallError<HtmlErrorCode> {
  const place = `The change of bytes ${from} to ${to}`;
  return from < before
    ? new CurtainwallError("HTML_EDIT_INVALID", `${place} overlaps another one, which ends at ${before}.`)
    : new CurtainwallError("HTML_EDIT_INVALID", `${place} lies outside the page of ${length}.`);
}

/** The edits that remove an attribute, and the later ones of its name that would take its place. */
export function cutAttribute({ span, duplicates = [] }: AttributeFact): Edit[] {
  return [span, ...duplicates].map((place) => ({ span: place, replacement: "" }));
}

/** The edit that gives an attribute another value. */
export function replaceAttribute({ span, name }: AttributeFact, value: string): Edit {
  return { span, replacement: ` ${name}="${escapeAttribute(value)}"` };
}
