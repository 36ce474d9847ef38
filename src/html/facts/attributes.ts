import { apostrophe, equalsSign, greaterThan, quotationMark, solidus } from "../scan/markup-bytes.ts";
import { isSpace } from "../text/text.ts";

/** One attribute where it stands, in offsets of the text it was read from. Nothing is resolved yet. */
export interface RawAttribute {
  readonly nameFrom: number;
  readonly nameTo: number;
  readonly valueFrom: number;
  /** `valueFrom` if there is no value. */
  readonly valueTo: number;
  /** After the closing quote, if there is one. */
  readonly to: number;
}

/** What {@link readAttributes} saw. */
export interface RawTag {
  readonly attributes: readonly RawAttribute[];
  /** After the `>`; undefined if the text ends before it, and then there is no tag at all. */
  readonly to: number | undefined;
  /** Ends in `/>`. */
  readonly selfClosing: boolean;
}

/**
 * Reads the attributes of a tag, duplicates and all, from after its name.
 *
 * @see https://html.spec.whatwg.org/multipage/parsing.html#before-attribute-name-state and the states that follow it
 */
export function readAttributes(text: string, from: number): RawTag {
  const attributes: RawAttribute[] = [];
  const end = text.length;
  let at = from;
  while (at < end) {
    const code = text.charCodeAt(at);
    if (code === greaterThan)
      return {
        attributes,
        to: at + 1,
        selfClosing: at > from && text.charCodeAt(at - 1) === solidus && !endsWithin(attributes, at),
      };
    if (code === solidus || isSpace(code)) {
      at++;
      continue;
    }
    const attribute = readAttribute(text, at);
    if (attribute === undefined) break;
    attributes.push(attribute);
    at = attribute.to;
  }
  return { attributes, to: undefined, selfClosing: false };
}

/** Tells whether the last attribute reaches up to here: the solidus of `<a href=/>` is its value. */
function endsWithin(attributes: readonly RawAttribute[], at: number): boolean {
  return attributes.at(-1)?.to === at;
}

function readAttribute(text: string, from: number): RawAttribute | undefined {
  // An equals sign that comes first is part of the name.
  let at = from + 1;
  while (at < text.length && !endsName(text.charCodeAt(at))) at++;
  const nameTo = at;
  while (at < text.length && isSpace(text.charCodeAt(at))) at++;
  if (text.charCodeAt(at) !== equalsSign)
    return { nameFrom: from, nameTo, valueFrom: nameTo, valueTo: nameTo, to: nameTo };
  at++;
  while (at < text.length && isSpace(text.charCodeAt(at))) at++;
  const quote = text.charCodeAt(at);
  if (quote === quotationMark || quote === apostrophe) {
    const close = text.indexOf(quote === quotationMark ? '"' : "'", at + 1);
    return close === -1
      ? undefined
      : { nameFrom: from, nameTo, valueFrom: at + 1, valueTo: close, to: close + 1 };
  }
  const valueFrom = at;
  while (at < text.length && text.charCodeAt(at) !== greaterThan && !isSpace(text.charCodeAt(at))) at++;
  return { nameFrom: from, nameTo, valueFrom, valueTo: at, to: at };
}

function endsName(code: number): boolean {
  return code === equalsSign || code === greaterThan || code === solidus || isSpace(code);
}
