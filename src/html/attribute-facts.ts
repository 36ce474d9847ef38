import { readAttributes } from "./attributes.ts";
import type { RawAttribute } from "./attributes.ts";
import type { AttributeFact, Span } from "./page-facts.ts";

/** Where a start tag stands in the text it is read from. */
export interface TagPlace {
  readonly text: string;
  /** Of its element, as facts name it. */
  readonly element: string;
  /** After its name. */
  readonly nameTo: number;
  readonly tag: Span;
  /** The name and the value of an attribute, as a browser sees them. */
  readonly nameOf: (raw: RawAttribute) => string;
  readonly valueOf: (raw: RawAttribute, name: string) => string;
  /** From the text's offsets to those of the facts. */
  readonly toByte: (offset: number) => number;
}

/** Reads a tag's attributes: the first of each name, with the places of those that it hides. */
export function attributeFacts({
  text,
  element,
  nameTo,
  tag,
  nameOf,
  valueOf,
  toByte,
}: TagPlace): AttributeFact[] {
  const facts = new Map<string, AttributeFact & { duplicates: Span[] | undefined }>();
  let before = nameTo;
  for (const raw of readAttributes(text, nameTo).attributes) {
    // What stands between two attributes is white space and solidi.
    const span = { from: toByte(before), to: toByte(raw.to) };
    before = raw.to;
    const name = nameOf(raw);
    const first = facts.get(name);
    if (first === undefined)
      facts.set(name, { element, name, value: valueOf(raw, name), span, duplicates: undefined, tag });
    else (first.duplicates ??= []).push(span);
  }
  return [...facts.values()];
}
