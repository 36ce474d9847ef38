import type { Element, ElementContent, Root, RootContent } from "hast";
import { fromHtml } from "hast-util-from-html";
import { sanitize } from "hast-util-sanitize";
import { toHtml } from "hast-util-to-html";
import { contentSchema, headingNames } from "./content-schema.ts";
import { createHeadingNames } from "./heading-names.ts";
import type { Heading } from "./heading-names.ts";
import { highlight } from "./highlight.ts";
import { findRemovals } from "./removals.ts";
import type { Removal } from "./removals.ts";
import { serialization } from "./serialization.ts";

/** Content that may stand in a page. */
export interface SanitizedContent {
  readonly html: string;
  readonly headings: readonly Heading[];
  /** What was in the HTML and is not in `html`. */
  readonly removals: readonly Removal[];
}

/**
 * Keeps of some HTML what content may hold, then adds what is ours: heading anchors, task lists and code highlighting. Nothing else
 * lets raw HTML into a page.
 */
export function sanitizeContent(html: string): SanitizedContent {
  const raw = fromHtml(html, { fragment: true });
  const tree = sanitize(raw, contentSchema) as Root;
  const removals = findRemovals(raw, tree, rules);
  const headings = nameHeadings(tree);
  const anchors = new Set(headings.map(({ id }) => id));
  visitElements(tree, (element) => {
    if (element.tagName === "a") pointToHeading(element, anchors);
    else if (element.tagName === "li") markTask(element);
    else if (element.tagName === "pre") highlightCode(element);
    else if (element.tagName === "img")
      element.properties = { ...element.properties, loading: "lazy", decoding: "async" };
  });
  // The language that highlighting did not take. No class of content's own passes the schema, so "hljs" is ours.
  visitElements(tree, (element) => {
    if (element.tagName === "code" && !isHighlighted(element)) delete element.properties.className;
  });
  return {
    html: toHtml(tree, serialization),
    headings,
    removals,
  };
}

const rules = { kept: new Set(contentSchema.tagNames), stripped: new Set(contentSchema.strip) };

const isHighlighted = ({ properties: { className } }: Element): boolean =>
  Array.isArray(className) && className[0] === "hljs";
const isLanguageHint = (value: unknown): value is string[] =>
  Array.isArray(value) && String(value[0]).startsWith("language-");

/** Visits what is inside an element, in the order of the text. No recursion: content may be nested deeply. */
function visitNodes(parent: Root | Element, visit: (node: RootContent) => void): void {
  const pending: RootContent[] = parent.children.toReversed();
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    visit(node);
    if (node.type !== "element") continue;
    for (let index = node.children.length - 1; index >= 0; index--) {
      const child = node.children[index];
      if (child !== undefined) pending.push(child);
    }
  }
}

function visitElements(parent: Root | Element, visit: (element: Element) => void): void {
  visitNodes(parent, (node) => {
    if (node.type === "element") visit(node);
  });
}

function textOf(element: Element): string {
  let text = "";
  visitNodes(element, (node) => {
    if (node.type === "text") text += node.value;
  });
  return text;
}

function nameHeadings(tree: Root): Heading[] {
  const nameHeading = createHeadingNames();
  const headings: Heading[] = [];
  visitElements(tree, (element) => {
    const level = headingNames.indexOf(element.tagName) + 1;
    if (level === 0) return;
    const heading = nameHeading(level, textOf(element));
    element.properties = { ...element.properties, id: heading.id };
    headings.push(heading);
  });
  return headings;
}

/** `[rye](#rye)` in the same content points to the heading, whose id has the prefix. */
function pointToHeading(link: Element, anchors: ReadonlySet<string>): void {
  const { href } = link.properties;
  if (typeof href === "string" && href.startsWith("#") && anchors.has(`h-${href.slice(1)}`))
    link.properties.href = `#h-${href.slice(1)}`;
}

/** `- [x] flour` becomes a check box that can't be changed (GitHub's task lists). */
function markTask(item: Element): void {
  const first = firstVisible(item);
  const holder = first?.type === "element" && first.tagName === "p" ? first : item;
  const start = firstVisible(holder);
  if (start?.type !== "text") return;
  const marker = /^\s*\[([ xX])\]\s+/.exec(start.value);
  if (marker === null) return;
  start.value = start.value.slice(marker[0].length);
  const box: Element = {
    type: "element",
    tagName: "input",
    properties: { type: "checkbox", checked: marker[1] !== " ", disabled: true },
    children: [],
  };
  holder.children.splice(holder.children.indexOf(start), 0, box, { type: "text", value: " " });
}

function firstVisible({ children }: Element): ElementContent | undefined {
  return children.find((child) => child.type !== "text" || child.value.trim() !== "");
}

function highlightCode(block: Element): void {
  const [code] = block.children;
  if (code?.type !== "element" || code.tagName !== "code" || !isLanguageHint(code.properties.className))
    return;
  const language = code.properties.className[0]?.slice("language-".length) ?? "";
  code.properties = { className: ["hljs"] };
  code.children = highlight(textOf(code), language);
}
