import { decodeHTMLAttribute } from "entities/decode";
import { attributeFacts } from "../facts/attribute-facts.ts";
import { createKnownTexts } from "./known-texts.ts";
import type { Mark } from "./marks.ts";
import { tokenizedName } from "../text/names.ts";
import type { AttributeFact, Span } from "../facts/page-facts.ts";
import { createRecent } from "../recent.ts";
import { isAsciiText, latin1, utf8 } from "../runtime.ts";
import { role } from "./scan-tables.ts";
import type { ElementText, StartTag } from "../facts/start-tag.ts";
import { withNewlines } from "../text/text.ts";

/** The tag's name and attributes, with offsets that count from its start. */
type TagReading = Pick<StartTag, "name" | "attributes">;

/** Tags remembered: those of a head stand on every page of a site. Other ones mostly have an address of their own. */
const remembered = createRecent<TagReading>(256);
const maxRememberedLength = 400;

const texts = createKnownTexts();

/** The commonest attributes that carry no fact on any element. A script's and a style's are all reported. */
const withoutFacts = new Set(
  "alt class decoding height lang loading role sizes tabindex target title width".split(" "),
);

/** Reads a tag that the scanner marked. */
export function readScannedTag(bytes: Uint8Array, mark: Mark): StartTag {
  const { from, tagTo: to, what, namespace, isInert } = mark;
  const content = mark.contentTo === -1 ? undefined : elementText(bytes, mark);
  const tag = { from, to };
  const text = latin1(bytes, from, to);
  const read = (place: Span): TagReading =>
    readTag(bytes, mark, { text, place, wantsAll: content !== undefined });
  if ((what & role.metadata) === 0 || namespace !== "html" || text.length > maxRememberedLength) {
    const { name, attributes } = read(tag);
    return { name, namespace, tag, attributes, isInert, content };
  }
  const key = content === undefined ? text : `.${text}`;
  const { name, attributes } = remembered.get(key, () => read({ from: 0, to: text.length }));
  return {
    name,
    namespace,
    tag,
    attributes: attributes.map((attribute) => placed(attribute, tag)),
    isInert,
    content,
  };
}

function elementText(bytes: Uint8Array, { from, tagTo, contentTo, to }: Mark): ElementText {
  return {
    element: { from, to },
    content: { from: tagTo, to: contentTo },
    text: texts.of(bytes, tagTo, contentTo, () => withNewlines(utf8(bytes, tagTo, contentTo))),
  };
}

function placed({ element, name, value, span, duplicates }: AttributeFact, tag: Span): AttributeFact {
  return {
    element,
    name,
    value,
    span: moved(span, tag.from),
    duplicates: duplicates?.map((duplicate) => moved(duplicate, tag.from)),
    tag,
  };
}

const moved = ({ from, to }: Span, by: number): Span => ({ from: from + by, to: to + by });

interface TagText {
  /** A character for each byte. */
  readonly text: string;
  /** Where the facts are to say that it stands. */
  readonly place: Span;
  /** Also attributes that carry no fact on most elements. */
  readonly wantsAll: boolean;
}

function readTag(
  bytes: Uint8Array,
  { from, nameTo, namespace }: Mark,
  { text, place, wantsAll }: TagText,
): TagReading {
  const isPlain = isAsciiText(text);
  const slice = (start: number, end: number): string =>
    isPlain ? text.slice(start, end) : utf8(bytes, from + start, from + end);
  const written = tokenizedName(slice(1, nameTo - from));
  const name = written === "image" && namespace === "html" ? "img" : written;
  const attributes = attributeFacts({
    text,
    element: name,
    nameTo: nameTo - from,
    tag: place,
    nameOf: (raw) => tokenizedName(slice(raw.nameFrom, raw.nameTo)),
    valueOf: (raw) => resolved(slice(raw.valueFrom, raw.valueTo)),
    ignored: wantsAll ? undefined : withoutFacts,
    toByte: (offset) => place.from + offset,
  });
  return { name, attributes };
}

/** What an attribute's value means. */
function resolved(value: string): string {
  const text = withNewlines(value);
  return text.includes("&") ? decodeHTMLAttribute(text) : text;
}
