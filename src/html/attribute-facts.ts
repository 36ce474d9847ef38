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
  const raws = readAttributes(text, nameTo).attributes;
  for (const [index, raw] of raws.entries()) {
    const { from, to } = whatToCut(text, raws, index, nameTo);
    const span = { from: toByte(from), to: toByte(to) };
    const name = nameOf(raw);
    const first = facts.get(name);
    if (first === undefined)
      facts.set(name, { element, name, value: valueOf(raw, name), span, duplicates: undefined, tag });
    else (first.duplicates ??= []).push(span);
  }
  return [...facts.values()];
}

/** What can be taken out so that the rest of the tag means what it meant. */
function whatToCut(text: string, raws: readonly RawAttribute[], index: number, nameTo: number): Span {
  const { nameFrom = 0, to: ownTo = 0 } = raws[index] ?? {};
  const before = raws[index - 1]?.to ?? nameTo;
  let to = ownTo;
  // Attributes whose name starts with an equals sign would become the value of the one before.
  for (let next = index + 1; text[raws[next]?.nameFrom ?? -1] === "="; next++) to = raws[next]?.to ?? to;
  // White space and solidi stand between two attributes. Where none follows, those before are needed.
  return { from: /[\t\n\f\r />]/.test(text.charAt(to)) ? before : nameFrom, to };
}
