import type { Element, ElementContent, RootContent } from "hast";
import { fromHtml } from "hast-util-from-html";
import type { PageFacts, Reference, ReferenceKind } from "./page-facts.ts";
import type { InlineCode } from "./provenance.ts";
import { refusedAttribute, refusedElement, scriptType } from "./refusals.ts";
import { inspectStylesheet } from "./stylesheet.ts";
import { addressesIn, attributeKey, parseLink, urlAttributes } from "./urls.ts";

/** Reads a finished page with the HTML standard's own parser, and says what it loads and what must not be in it. */
export function inspectTree(html: string, url: string, code: InlineCode): PageFacts {
  const page = new PageReader(url, code);
  const pending: (RootContent | ElementContent)[] = [...fromHtml(html).children];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    if (node.type !== "element") continue;
    page.read(node);
    for (const child of node.children) pending.push(child);
    for (const child of node.content?.children ?? []) pending.push(child);
  }
  if (!/^<!doctype html><html[\s>]/i.test(html)) page.problems.push("a page's component must return <html>.");
  return page;
}

class PageReader implements PageFacts {
  readonly inlineScripts = new Set<string>();
  readonly inlineStyles = new Set<string>();
  readonly references: Reference[] = [];
  readonly problems: string[] = [];
  readonly anchors = new Set<string>();
  hasForm = false;
  readonly #url: string;
  readonly #code: InlineCode;

  constructor(url: string, code: InlineCode) {
    this.#url = url;
    this.#code = code;
  }

  read(element: Element): void {
    const refusal = refusedElement(element.tagName);
    if (refusal !== undefined) this.problems.push(refusal);
    if (element.tagName === "form") this.hasForm = true;
    for (const anchor of [element.properties.id, element.tagName === "a" && element.properties.name])
      if (typeof anchor === "string") this.anchors.add(anchor);
    if (element.tagName === "link") this.#readRelations(element);
    for (const [name, value] of Object.entries(element.properties)) this.#readAttribute(element, name, value);
    if (element.tagName === "script") this.#readScript(element);
    if (element.tagName === "style") this.#readStyle(textOf(element));
  }

  #readRelations(element: Element): void {
    const refused = relationsOf(element).find((relation) => eagerRelations.has(relation));
    if (refused !== undefined)
      this.problems.push(`<link rel="${refused}"> contacts other addresses before anybody asks for them.`);
  }

  #readAttribute(element: Element, name: string, value: Element["properties"][string]): void {
    const problem = refusedAttribute(element.tagName, name);
    if (problem !== undefined) this.problems.push(problem);
    const key = attributeKey(name);
    if (!urlAttributes.has(key) || value === null || value === undefined) return;
    const text = Array.isArray(value) ? value.join(key.endsWith("srcset") ? "," : " ") : String(value);
    for (const address of addressesIn(key, text)) {
      const url = parseLink(address, this.#url);
      if (url === undefined)
        this.problems.push(`${key}="${address.slice(0, 80)}": the scheme is not accepted.`);
      else this.#addReference(element, key, address, url);
    }
  }

  #addReference(element: Element, key: string, address: string, url: URL): void {
    const kind = referenceKind(element, key);
    const integrity = element.properties.integrity;
    // A fragment of this very page, as in <use href="#leaf">, loads nothing.
    if (kind === "image" && address.startsWith("#")) return;
    this.references.push({
      kind,
      address,
      url,
      integrity: typeof integrity === "string" ? integrity : undefined,
    });
  }

  #readScript(element: Element): void {
    const text = textOf(element);
    const type = scriptType(element.properties.type);
    if (type === undefined)
      this.problems.push(`<script type="${String(element.properties.type)}"> is not accepted.`);
    else if (type === "data") {
      if (text.includes("<")) this.problems.push('a JSON island holds a "<".');
    } else if (element.properties.src === undefined) {
      if (this.#code.script.has(text)) this.inlineScripts.add(text);
      else this.problems.push(`an inline script stands in no template's source: ${text.slice(0, 60)}`);
    } else if (text !== "") this.problems.push("a script has both src and a text.");
  }

  #readStyle(text: string): void {
    if (!this.#code.style.has(text)) {
      this.problems.push(`an inline style stands in no template's source: ${text.slice(0, 60)}`);
      return;
    }
    this.inlineStyles.add(text);
    const facts = inspectStylesheet(text);
    if (facts.problem !== undefined) this.problems.push(`<style>: ${facts.problem.message}`);
    for (const address of facts.addresses) {
      const url = parseLink(address, this.#url);
      const kind = /\.(?:woff2?|[ot]tf)$/i.test(url?.pathname ?? "") ? "font" : "image";
      if (url !== undefined) this.references.push({ kind, address, url, integrity: undefined });
    }
  }
}

function textOf(element: Element): string {
  return element.children.map((child) => (child.type === "text" ? child.value : "")).join("");
}

const mediaElements = new Set(["video", "audio", "track"]);
const svgImages = new Set([
  "image",
  "feimage",
  "use",
  "pattern",
  "lineargradient",
  "radialgradient",
  "filter",
  "textpath",
  "mpath",
]);

function referenceKind(element: Element, key: string): ReferenceKind {
  const name = element.tagName.toLowerCase();
  if (key === "action" || key === "formaction") return "form";
  if (key === "poster" || key === "srcset" || key === "background") return "image";
  if (name === "script") return "script";
  if (name === "link") return linkKind(element, key);
  if (name === "source" && key === "src") return "media";
  if (mediaElements.has(name)) return "media";
  if (name === "img" || name === "input" || svgImages.has(name)) return "image";
  return "link";
}

const preloads: ReadonlyMap<string, ReferenceKind> = new Map([
  ["font", "font"],
  ["image", "image"],
  ["style", "style"],
  ["script", "script"],
]);

const eagerRelations = new Set([
  "preconnect",
  "dns-prefetch",
  "prefetch",
  "prerender",
  "pingback",
  "compression-dictionary",
]);

function relationsOf({ properties: { rel } }: Element): string[] {
  return (Array.isArray(rel) ? rel : [rel]).map((relation) => String(relation).toLowerCase());
}

function linkKind(element: Element, key: string): ReferenceKind {
  if (key === "imagesrcset") return "image";
  const relations = relationsOf(element);
  if (relations.includes("stylesheet")) return "style";
  if (
    relations.some(
      (relation) => relation === "icon" || relation === "apple-touch-icon" || relation === "mask-icon",
    )
  )
    return "image";
  if (relations.includes("manifest")) return "manifest";
  if (relations.includes("modulepreload")) return "script";
  if (relations.includes("preload")) return preloads.get(String(element.properties.as)) ?? "link";
  return "link";
}
