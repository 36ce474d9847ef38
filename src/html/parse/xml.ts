import { SaxesParser } from "saxes";
import type { SaxesTagPlain } from "saxes";
import { CurtainwallError } from "../../shared/index.ts";
import { attributeFacts } from "../facts/attribute-facts.ts";
import { byteOffsets } from "./byte-offsets.ts";
import { createCollector } from "../facts/collect.ts";
import type { Collector, ReadNested } from "../facts/collect.ts";
import { decodeXml } from "../text/encoding.ts";
import type { DecodedPage } from "../text/encoding.ts";
import type { HtmlErrorCode } from "../errors.ts";
import type { AttributeFact, PageFacts, ReadPageOptions, Span } from "../facts/page-facts.ts";
import type { StartTag } from "../facts/start-tag.ts";
import { entitiesOf } from "./xml-entities.ts";
import { outermost, resolveName, scopeOf } from "./xml-names.ts";
import type { Scope } from "./xml-names.ts";

const namespaces: Record<string, StartTag["namespace"]> = {
  "http://www.w3.org/1999/xhtml": "html",
  "http://www.w3.org/2000/svg": "svg",
  "http://www.w3.org/1998/Math/MathML": "math",
};

/** An element that is open. Its text counts if it is a script or style. */
interface OpenElement {
  readonly scope: Scope;
  /** Undefined for elements of other vocabularies, which do nothing. */
  readonly start: Omit<StartTag, "content"> | undefined;
  readonly holdsText: boolean;
  text: string;
}

/**
 * Reads an XHTML or SVG file. Here `<noscript>` is like any other element, and nothing is implied.
 *
 * @throws {CurtainwallError} `HTML_XML_MALFORMED` if a browser would show an error instead.
 */
export function readXml(bytes: Uint8Array, options: ReadPageOptions, readNested: ReadNested): PageFacts {
  const page = decodeXml(bytes, options.charset);
  if (page === undefined) throw malformed("it is not valid UTF-8");
  const collector = createCollector(options, readNested);
  const head = parse(page, collector);
  return {
    bytes: page.bytes,
    encoding: page.encoding,
    ...collector.facts(),
    headStart: head.from,
    headEnd: head.to,
    fallback: undefined,
  };
}

function parse(page: DecodedPage, collector: Collector): Span {
  const text = page.text();
  const toByte = byteOffsets(page, text);
  const parser = new SaxesParser();
  const open: OpenElement[] = [];
  const starts: StartTag[] = [];
  let templates = 0;
  let head = { from: 0, to: 0 };

  parser.on("error", ({ message }) => {
    throw malformed(message.replace(/\.$/, ""));
  });
  parser.on("doctype", (doctype) => {
    const entities = entitiesOf(doctype, text);
    if (entities === undefined)
      throw malformed("its document type declares attributes, or entities that hold markup");
    Object.assign(parser.ENTITIES, entities);
  });
  parser.on("processinginstruction", ({ target }) => {
    const from = text.lastIndexOf("<?", parser.position - 1);
    if (target === "xml-stylesheet")
      addStylesheet(text.slice(from, parser.position), toByte(from), toByte, from, collector);
  });
  parser.on("opentag", (tag) => {
    const to = parser.position;
    const from = text.lastIndexOf("<", to - 1);
    const scope = scopeOf(tag, open.at(-1)?.scope ?? outermost);
    const start = startTag(tag, scope, text, { from, to }, toByte, templates > 0);
    const holdsText =
      start !== undefined &&
      (start.name === "script" || start.name === "style") &&
      start.namespace !== "math";
    open.push({ scope, start, holdsText, text: "" });
    if (start !== undefined && !holdsText) starts.push({ ...start, content: undefined });
    if (start?.namespace !== "html") return;
    if (start.name === "template") templates++;
    if (start.name === "head" && !tag.isSelfClosing && head.from === 0)
      head = { from: toByte(to), to: toByte(to) };
  });
  const addText = (more: string): void => {
    const current = open.at(-1);
    if (current?.holdsText === true) current.text += more;
  };
  parser.on("text", addText);
  parser.on("cdata", addText);
  parser.on("closetag", ({ isSelfClosing }) => {
    const { start, holdsText, text: content } = open.pop() ?? {};
    if (start === undefined) return;
    const to = toByte(parser.position);
    const close = isSelfClosing ? to : toByte(text.lastIndexOf("</", parser.position - 1));
    if (holdsText === true)
      starts.push({
        ...start,
        content: {
          element: { from: start.tag.from, to },
          content: { from: start.tag.to, to: close },
          text: content ?? "",
        },
      });
    if (start.namespace !== "html") return;
    if (start.name === "template") templates--;
    if (start.name === "head" && head.from === start.tag.to) head.to = close;
  });
  parser.write(text).close();
  // Scripts and styles were only complete at their ends.
  for (const start of starts.toSorted((left, right) => left.tag.from - right.tag.from)) collector.add(start);
  return head;
}

function malformed(reason: string): CurtainwallError<HtmlErrorCode> {
  return new CurtainwallError("HTML_XML_MALFORMED", `The file can't be read as XML: ${reason}.`, {
    hint: "A browser shows an error instead of such a file. Mend it, or serve it as text/html if it is HTML.",
  });
}

function startTag(
  tag: SaxesTagPlain,
  scope: Scope,
  text: string,
  { from, to }: Span,
  toByte: (offset: number) => number,
  isInert: boolean,
): OpenElement["start"] {
  const { uri, local } = resolve(tag.name, scope);
  const namespace = Object.hasOwn(namespaces, uri) ? namespaces[uri] : undefined;
  if (namespace === undefined) return undefined;
  // XHTML's names are lower case or not its own; SVG's are known by their lower case to whoever collects.
  const name = namespace === "html" ? local : local.toLowerCase();
  const span = { from: toByte(from), to: toByte(to) };
  const attributes = attributeFacts({
    text,
    element: name,
    nameTo: from + 1 + tag.name.length,
    tag: span,
    nameOf: ({ nameFrom, nameTo }) => attributeName(text.slice(nameFrom, nameTo), namespace, scope),
    valueOf: ({ nameFrom, nameTo }) => tag.attributes[text.slice(nameFrom, nameTo)] ?? "",
    toByte,
  });
  return { name, namespace, tag: span, attributes, isInert };
}

function resolve(name: string, scope: Scope): { uri: string; local: string } {
  const { uri, local } = resolveName(name, scope);
  if (uri === undefined) throw malformed(`the prefix of ${name.slice(0, 50)} is not declared`);
  return { uri, local };
}

function attributeName(written: string, namespace: StartTag["namespace"], scope: Scope): string {
  if (written.includes(":")) {
    const { uri, local } = resolve(written, scope);
    if (uri === "http://www.w3.org/1999/xlink") return `xlink:${local}`;
  }
  // A handler in capitals is none.
  return namespace === "html" || /^on/i.test(written) ? written : written.toLowerCase();
}

/** `<?xml-stylesheet?>`: a style sheet, or a program in XSLT that makes another page of this one. */
function addStylesheet(
  written: string,
  start: number,
  toByte: (offset: number) => number,
  from: number,
  collector: Collector,
): void {
  const href = pseudoAttribute(written, "href");
  if (href === undefined) return;
  const type = pseudoAttribute(written, "type")?.value ?? "text/css";
  const tag = { from: start, to: toByte(from + written.length) };
  const span = { from: toByte(from + href.from), to: toByte(from + href.to) };
  const attribute: AttributeFact = {
    element: "?xml-stylesheet",
    name: "href",
    value: href.value,
    span,
    duplicates: undefined,
    tag,
  };
  collector.addResource({
    kind: /xsl|xml/i.test(type) ? "script" : "style",
    address: href.value.trim(),
    attribute,
    integrity: undefined,
    crossOrigin: undefined,
  });
}

function pseudoAttribute(written: string, name: string): (Span & { value: string }) | undefined {
  const found = new RegExp(`\\s${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)')`).exec(written);
  if (found === null) return undefined;
  const value = (found[1] ?? found[2] ?? "")
    .replaceAll("&lt;", "<")
    .replaceAll("&quot;", '"')
    .replaceAll("&amp;", "&");
  return { value, from: found.index, to: found.index + found[0].length };
}
