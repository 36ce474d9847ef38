import { readAttributes } from "./attributes.ts";
import type { RawAttribute } from "./attributes.ts";
import type { AttributeFact, Span } from "./page-facts.ts";
import { isSpace } from "../text/text.ts";

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
  /** Names of attributes that nobody will ask for. */
  readonly ignored?: ReadonlySet<string> | undefined;
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
  ignored,
  toByte,
}: TagPlace): AttributeFact[] {
  const facts: (AttributeFact & { duplicates: Span[] | undefined })[] = [];
  const raws = readAttributes(text, nameTo).attributes;
  // From this number on, looking names up one after another is slower than a map. A page may have a million on one tag.
  const byName = raws.length > 16 ? new Map<string, (typeof facts)[number]>() : undefined;
  let before = nameTo;
  let runTo = -1;
  for (let index = 0; index < raws.length; index++) {
    const raw = raws[index];
    if (raw === undefined) break;
    // Of a run of them all are cut together; where it ends is looked for once.
    if (index > runTo) runTo = lastToCut(text, raws, index);
    const cutTo = raws[runTo]?.to ?? raw.to;
    const name = nameOf(raw);
    if (ignored?.has(name) === true) {
      before = raw.to;
      continue;
    }
    // White space and solidi stand between two attributes. Where none follows, those before are needed.
    const span = {
      from: toByte(separates(text.charCodeAt(cutTo)) ? before : raw.nameFrom),
      to: toByte(cutTo),
    };
    before = raw.to;
    const first = byName === undefined ? facts.find((fact) => fact.name === name) : byName.get(name);
    if (first === undefined) {
      const fact = { element, name, value: valueOf(raw, name), span, duplicates: undefined, tag };
      facts.push(fact);
      byName?.set(name, fact);
    } else (first.duplicates ??= []).push(span);
  }
  return facts;
}

/** An attribute whose name starts with an equals sign would become the value of the one before, so it goes too. */
function lastToCut(text: string, raws: readonly RawAttribute[], index: number): number {
  let last = index;
  while (text.charCodeAt(raws[last + 1]?.nameFrom ?? text.length) === 0x3d) last++;
  return last;
}

/** White space, `/` or `>`. */
function separates(code: number): boolean {
  return code === 0x2f || code === 0x3e || isSpace(code);
}
