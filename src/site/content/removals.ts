import type { Element, Root, RootContent } from "hast";
import MarkdownIt from "markdown-it";

/** Something that content had and a page does not get. */
export interface Removal {
  /** Lower case. */
  readonly element: string;
  /** Undefined: the element itself went. */
  readonly attribute: string | undefined;
  /** Whether what was inside the element went with it. */
  readonly withContents: boolean;
}

/** Which elements stay, and which go with all that is in them. */
export interface RemovalRules {
  readonly kept: ReadonlySet<string>;
  readonly stripped: ReadonlySet<string>;
}

/** Compares content before and after it was sanitised: an author must hear of what silently would not be there. */
export function findRemovals(before: Root, after: Root, rules: RemovalRules): Removal[] {
  const removals: Removal[] = [];
  const survivors: Element[] = [];
  walk(before, (element) => {
    const { tagName } = element;
    const withContents = rules.stripped.has(tagName);
    if (rules.kept.has(tagName)) survivors.push(element);
    else removals.push({ element: tagName, attribute: undefined, withContents });
    return !withContents;
  });
  const kept: Element[] = [];
  walk(after, (element) => kept.push(element) > 0);
  // Where a part of a table stood outside one the two do not run side by side; then attributes are not compared.
  if (survivors.length !== kept.length || survivors.some(({ tagName }, at) => tagName !== kept[at]?.tagName))
    return removals;
  survivors.forEach((element, at) => {
    for (const name of Object.keys(element.properties)) {
      // The language of a code block, which Markdown writes in its own way.
      if (element.tagName === "code" && name === "className") continue;
      if (kept[at]?.properties[name] === undefined)
        removals.push({ element: element.tagName, attribute: attributeName(name), withContents: false });
    }
  });
  return removals;
}

const attributeName = (property: string): string =>
  property === "className" ? "class" : property.toLowerCase();

/** Visits elements in the order of the text, going into one when `visit` says so. No recursion: content may be nested deeply. */
function walk(root: Root, visit: (element: Element) => boolean): void {
  const pending: RootContent[] = root.children.toReversed();
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    if (node.type === "element" && visit(node)) pending.push(...node.children.toReversed());
  }
}

/** Says a removal in words, for an author. */
export function describeRemoval({ element, attribute, withContents }: Removal): string {
  if (attribute === undefined)
    return withContents
      ? `<${element}> was removed with what is in it: content can't have it`
      : `<${element}> was removed, and what is in it kept: content can't have it`;
  return attribute.startsWith("on")
    ? `${attribute} was removed from <${element}>: content can't run code`
    : `${attribute} was removed from <${element}>: content can't have it, or not with this value`;
}

const parser = new MarkdownIt({ html: true });

/**
 * Finds the line of each removal among the raw HTML of a Markdown text, from 1. Undefined where it did not come from raw HTML, as with
 * the address of a link that Markdown wrote.
 */
export function lineOfRemovals(markdown: string, removals: readonly Removal[]): (number | undefined)[] {
  if (removals.length === 0) return [];
  const pieces = rawHtml(markdown);
  const taken = new Map<string, number>();
  return removals.map(({ element, attribute }) => {
    const key = `${element} ${attribute ?? ""}`;
    const wanted = taken.get(key) ?? 0;
    taken.set(key, wanted + 1);
    let seen = 0;
    for (const { line, html } of pieces) {
      for (const { 0: tag, index } of html.matchAll(/<([a-z][^\s/>]*)[^>]*/gi)) {
        const name = /^<([^\s/>]*)/.exec(tag)?.[1]?.toLowerCase();
        if (name !== element || (attribute !== undefined && !hasAttribute(tag, attribute))) continue;
        if (seen++ === wanted) return line + html.slice(0, index).split("\n").length - 1;
      }
    }
    return undefined;
  });
}

const hasAttribute = (tag: string, name: string): boolean =>
  tag
    .toLowerCase()
    .split(/[\s"'/]+/)
    .some((part) => part === name || part.startsWith(`${name}=`));

/** The raw HTML in a Markdown text, with the line at which each piece begins: never what stands in code. */
function rawHtml(markdown: string): { line: number; html: string }[] {
  return parser.parse(markdown, {}).flatMap((token) => {
    const first = (token.map?.[0] ?? 0) + 1;
    if (token.type === "html_block") return [{ line: first, html: token.content }];
    let line = first;
    return (token.children ?? []).flatMap((child) => {
      if (child.type === "softbreak" || child.type === "hardbreak") line++;
      if (child.type !== "html_inline") return [];
      const piece = { line, html: child.content };
      line += child.content.split("\n").length - 1;
      return [piece];
    });
  });
}
