import { readPage } from "../../html/index.ts";
import type { PageFacts as HtmlFacts, ResourceFact, ResourceKind, ScriptFact } from "../../html/index.ts";
import type { PageFacts, Reference, ReferenceKind } from "./page-facts.ts";
import type { InlineCode } from "./provenance.ts";
import { scriptType } from "./refusals.ts";
import { inspectStylesheet } from "./stylesheet.ts";
import { parseLink } from "./urls.ts";

/**
 * Reads a finished page as a browser does and says what it loads and what must not be in it. The last check before a page is
 * published: it trusts neither the templates nor the renderer, only which literals the sources hold.
 *
 * A page in which nothing could be wrong is only scanned. Any other is read again with the HTML standard's own parser, which is slower
 * and says what it is.
 */
export async function inspectPage(html: string, url: string, code: InlineCode): Promise<PageFacts> {
  const facts = inspectSimplePage(html, url, code);
  if (facts !== undefined) return facts;
  const { inspectTree } = await import("./inspect-tree.ts");
  return inspectTree(html, url, code);
}

/**
 * Elements and attributes of which the scanner tells too little. An element's or attribute's name stands in a page as it is read, so
 * what is not found here is not there; what is found may as well be text.
 */
const needsParser = new RegExp(
  [
    "<(?:base|i?frame|frameset|object|embed|applet|portal|fencedframe|noscript|noembed|noframes|xmp|plaintext|svg|math|template)(?![\\w-])",
    "<[a-z][^\\s/>]*:",
    "[\\s\"'/](?:srcdoc|nonce|innerhtml|outerhtml|dangerouslysetinnerhtml|http-?equiv|shadowroot\\w*)(?![\\w-])",
    // What a link is to the page is a value, and those may be written with references.
    "pingback",
    "[\\s\"'/]rel\\s*=\\s*(?:\"[^\"]*&|'[^']*&|[^\"'\\s>]*&)",
    "[\\s\"'/](?:ping|cite|longdesc|background|manifest|data|xlink:?href)\\s*=",
  ].join("|"),
  "i",
);

/** The facts of a page in which nothing is wrong; undefined when something may be. */
export function inspectSimplePage(html: string, url: string, code: InlineCode): PageFacts | undefined {
  if (needsParser.test(html) || !/^<!doctype html><html[\s>]/i.test(html)) return undefined;
  const facts = readPage(new TextEncoder().encode(html), { charset: "utf-8", ids: true });
  if (facts.fallback !== undefined || hasTrouble(facts)) return undefined;
  const scripts = inlineScripts(facts.scripts, code);
  const styles = new Set(facts.styles.map(({ text }) => text));
  const references = readReferences(facts.resources, url);
  if (scripts === undefined || references === undefined || ![...styles].every((text) => code.style.has(text)))
    return undefined;
  for (const style of styles) {
    const loaded = referencesOfStyle(style, url);
    if (loaded === undefined) return undefined;
    references.push(...loaded);
  }
  return {
    inlineScripts: scripts,
    inlineStyles: styles,
    references,
    hasForm: facts.submitsToItself || facts.resources.some(({ attribute }) => attribute.element === "form"),
    anchors: new Set(facts.ids),
    scan: facts,
    problems: [],
  };
}

function hasTrouble({
  handlers,
  styleAttributes,
  scriptUrls,
  pragmas,
  nested,
  base,
  encoding,
}: HtmlFacts): boolean {
  const troubles = [handlers, styleAttributes, scriptUrls, pragmas, nested];
  return troubles.some((list) => list.length > 0) || base !== undefined || encoding !== "utf-8";
}

/** The texts of inline scripts, if every script is one that may be there. */
function inlineScripts(scripts: readonly ScriptFact[], code: InlineCode): Set<string> | undefined {
  const texts = new Set<string>();
  for (const { attributes, src, text } of scripts) {
    const type = scriptType(attributes.find(({ name }) => name === "type")?.value);
    if (type === "data" && src === undefined && !text.includes("<")) continue;
    if (type !== "script") return undefined;
    if (src === undefined ? !code.script.has(text) : text !== "" || src === "") return undefined;
    if (src === undefined) texts.add(text);
  }
  return texts;
}

const kinds: Readonly<Partial<Record<ResourceKind, ReferenceKind>>> = {
  script: "script",
  style: "style",
  image: "image",
  media: "media",
  track: "media",
  font: "font",
  manifest: "manifest",
  form: "form",
  link: "link",
};

function readReferences(resources: readonly ResourceFact[], base: string): Reference[] | undefined {
  const references: Reference[] = [];
  for (const { kind: found, address, integrity } of resources) {
    const kind = kinds[found];
    const url = parseLink(address, base);
    if (kind === undefined || url === undefined) return undefined;
    // A fragment of this very page loads nothing.
    if (kind !== "image" || !address.startsWith("#")) references.push({ kind, address, url, integrity });
  }
  return references;
}

function referencesOfStyle(text: string, base: string): Reference[] | undefined {
  const { problem, addresses } = inspectStylesheet(text);
  if (problem !== undefined) return undefined;
  const references: Reference[] = [];
  for (const address of addresses) {
    const url = parseLink(address, base);
    if (url === undefined) return undefined;
    const kind = /\.(?:woff2?|[ot]tf)$/i.test(url.pathname) ? "font" : "image";
    references.push({ kind, address, url, integrity: undefined });
  }
  return references;
}
