import { html } from "parse5";
import { attributeFacts } from "../facts/attribute-facts.ts";
import { byteOffsets } from "./byte-offsets.ts";
import { createCollector } from "../facts/collect.ts";
import type { ReadNested } from "../facts/collect.ts";
import type { DecodedPage } from "../text/encoding.ts";
import { FactsParser } from "./facts-parser.ts";
import type { ParsedTag } from "./facts-parser.ts";
import { tokenizedName } from "../text/names.ts";
import type { PageFacts, ReadPageOptions, Span } from "../facts/page-facts.ts";
import type { ElementText, StartTag } from "../facts/start-tag.ts";

/** Reads a decoded page with parse5, which builds what a browser builds. */
export function readDecodedWithParser(
  page: DecodedPage,
  options: ReadPageOptions,
  readNested: ReadNested,
): PageFacts {
  const text = page.text();
  const toByte = byteOffsets(page, text);
  const parser = FactsParser.read(text);
  const collector = createCollector(options, readNested);
  const place = { text, from: 0, to: text.length, isInert: false, toByte };
  for (const tag of parser.tags) addTag(tag, place, collector.add);
  const headStart = toByte(parser.head.from);
  return {
    bytes: page.bytes,
    encoding: page.encoding,
    ...collector.facts(),
    headStart,
    headEnd: parser.head.to === undefined ? headStart : toByte(parser.head.to),
    fallback: undefined,
  };
}

/** The stretch of a page that a parser was given. */
interface Stretch {
  /** The whole page's text. */
  readonly text: string;
  /** Where the stretch starts in it. */
  readonly from: number;
  readonly to: number;
  readonly isInert: boolean;
  readonly toByte: (offset: number) => number;
}

function addTag(parsed: ParsedTag, stretch: Stretch, add: (tag: StartTag) => void): void {
  const tag = asStartTag(parsed, stretch);
  add(tag);
  const isNoscript = parsed.content !== undefined && tag.name === "noscript" && tag.namespace === "html";
  if (isNoscript && !stretch.isInert) addNoscript(parsed, stretch, add);
}

/** With scripting on, a `<noscript>` holds nothing but text: its tags are only there for readers without. */
function addNoscript(
  { to, content }: ParsedTag,
  { text, toByte }: Stretch,
  add: (tag: StartTag) => void,
): void {
  const stretch = { text, from: to, to: content?.closed?.contentTo ?? text.length, isInert: true, toByte };
  for (const tag of FactsParser.readNoscript(text.slice(to, stretch.to)).tags) addTag(tag, stretch, add);
}

function asStartTag(parsed: ParsedTag, stretch: Stretch): StartTag {
  const { text, from, isInert, toByte } = stretch;
  const name = tokenizedName(parsed.name);
  const tag = { from: toByte(from + parsed.from), to: toByte(from + parsed.to) };
  const values = new Map(parsed.attributes.map((attribute) => [attribute.name, attribute.value]));
  const attributes = attributeFacts({
    text,
    element: name,
    nameTo: from + parsed.from + nameLength(text, from + parsed.from),
    tag,
    nameOf: ({ nameFrom, nameTo }) => tokenizedName(text.slice(nameFrom, nameTo)),
    valueOf: (_, attribute) => values.get(attribute) ?? "",
    toByte,
  });
  const namespace = namespaceOf(parsed.namespace);
  const isText = (name === "script" || name === "style") && namespace !== "math";
  return {
    name,
    namespace,
    tag,
    attributes,
    isInert: isInert || parsed.isInert,
    content: isText ? contentOf(parsed, tag, stretch) : undefined,
  };
}

function contentOf(
  { to, content }: ParsedTag,
  tag: Span,
  { from, to: stretchTo, toByte }: Stretch,
): ElementText {
  // Tree construction ignored the tag, so nothing is its content.
  if (content === undefined) return { element: tag, content: { from: tag.to, to: tag.to }, text: "" };
  const { closed, element } = content;
  const end = closed === undefined ? stretchTo : from + closed.contentTo;
  return {
    element: { from: tag.from, to: toByte(closed === undefined ? end : from + closed.to) },
    content: { from: toByte(from + to), to: toByte(end) },
    text: element.text ?? "",
  };
}

function namespaceOf(uri: html.NS | undefined): StartTag["namespace"] {
  if (uri === html.NS.SVG) return "svg";
  return uri === html.NS.MATHML ? "math" : "html";
}

/** Length of `<` and the tag's name. */
function nameLength(text: string, from: number): number {
  let at = from + 1;
  while (at < text.length && !/[\t\n\f\r />]/.test(text.charAt(at))) at++;
  return at - from;
}
