import type { VNode } from "preact";
import { siteError } from "../errors.ts";
import type { SourcePlace } from "../errors.ts";
import { directionOf } from "../locales.ts";
import { completeContent } from "../images/complete-content.ts";
import { completeImage } from "../images/complete-image.ts";
import type { PicturePlacer } from "../images/place-pictures.ts";
import type { InlineCode } from "./provenance.ts";
import { refusedAttribute, refusedElement, scriptType } from "./refusals.ts";
import { safeHtmlKind, vouchForHtml } from "../template/safe-html.ts";
import type { SafeHtml } from "../template/safe-html.ts";
import { addressesIn, attributeKey, parseLink, urlAttributes } from "./urls.ts";

/** What {@link guardNode} needs to know of the page that is rendered. */
export interface GuardContext {
  readonly inlineCode: InlineCode;
  /** Its template, which is named where a node does not say where it was written. */
  readonly template: string;
  /** The page's own address, to resolve relative ones. */
  readonly url: string;
  /** The digests of a hashed asset, by its path; undefined for others. */
  readonly integrityOf: (path: string) => string | undefined;
  /** Completes the page's images. Default: they stay as they are written. */
  readonly pictures?: PicturePlacer;
  /** The page's language, if the contract declares the site's. */
  readonly locale?: string | undefined;
}

type Props = VNode["props"] & Record<string, unknown>;

/** Elements in which sanitised content may stand: those that hold flowing text and are read like any other. */
const contentHolders = new Set([
  "div",
  "section",
  "article",
  "main",
  "aside",
  "header",
  "footer",
  "blockquote",
  "figure",
  "figcaption",
  "li",
  "td",
  "dd",
  "p",
  "span",
]);

/**
 * Checks one node just before it is rendered, however it was made: spread attributes, computed names and `h()` calls come
 * through here too. Gives scripts and stylesheets their integrity.
 *
 * @throws {CurtainwallError} `SITE_TEMPLATE_UNSAFE`, with file and line where the compiler noted them.
 */
export function guardNode(node: VNode, context: GuardContext): void {
  const props = (node.props ?? {}) as Props;
  const place = placeOf(node) ?? { file: context.template };
  if (typeof node.type !== "string") {
    // Preact's precompiled templates are raw markup inside a fragment.
    if ("tpl" in props || "UNSTABLE_comment" in props)
      throw unsafe("raw markup in a fragment is not accepted.", place);
    return;
  }
  const refusal = refusedElement(node.type);
  if (refusal !== undefined) throw unsafe(refusal, place);
  const name = node.type.toLowerCase();
  for (const [attribute, value] of Object.entries(props))
    checkAttribute(name, attribute, value, place, context);
  if (name === "script" || name === "style") node.props = guardCode(name, props, place, context);
  else checkMarkup(name, props, place);
  if (name === "html" && context.locale !== undefined)
    node.props = withLanguage(props, context.locale, place);
  if (name === "link" && /(?:^|\s)stylesheet(?:\s|$)/i.test(String(props.rel)))
    node.props = withIntegrity(props, props.href, context);
  if (context.pictures !== undefined) node.props = withPictures(name, node.props, context.pictures);
}

function withPictures(element: string, props: Props, pictures: PicturePlacer): Props {
  if (element === "img") return completeImage(props, pictures) as Props;
  const markup = props.dangerouslySetInnerHTML;
  if (safeHtmlKind(markup) !== "content") return props;
  const html = completeContent((markup as SafeHtml).__html, pictures);
  return { ...props, dangerouslySetInnerHTML: vouchForHtml(html, "content") };
}

/** Names the language of the page, which its address, its feed and its alternates name as well: none of them may say another. */
function withLanguage(props: Props, locale: string, place: SourcePlace): Props {
  const own = { lang: locale, dir: directionOf(locale) };
  for (const [name, value] of Object.entries(own)) {
    const written = props[name];
    if (written === undefined || written === null || written === value) continue;
    throw unsafe(
      `<html ${name}="${typeof written === "string" ? written.slice(0, 40) : "…"}"> on a page whose ${name} is "${value}".`,
      place,
      `Leave ${name} away, or write  ${name}={here.${name === "lang" ? "locale" : name}}`,
    );
  }
  return { ...props, ...own };
}

/** Attributes that Preact keeps for itself, or renders as something else. */
const ownProps = new Set(["children", "key", "ref", "dangerouslySetInnerHTML", "__self", "__source"]);

function checkAttribute(
  element: string,
  name: string,
  value: unknown,
  place: SourcePlace,
  context: GuardContext,
): void {
  if (ownProps.has(name) || value === undefined || value === null) return;
  // A function is code of the site's own, and the renderer writes none: an island's handler, for when it comes to life.
  if (typeof value === "function" && /^on[A-Z]/.test(name)) return;
  const problem = refusedAttribute(element, name);
  if (problem !== undefined) throw unsafe(problem, place);
  if (typeof value === "object" || typeof value === "function" || typeof value === "symbol")
    throw unsafe(`${name}: an attribute's value must be text, a number or a boolean.`, place);
  const key = attributeKey(name);
  if (!urlAttributes.has(key) || typeof value !== "string") return;
  for (const address of addressesIn(key, value)) {
    if (parseLink(address, context.url) === undefined) {
      throw unsafe(
        `${name}="${address.slice(0, 80)}": an address must be https, http, mailto, tel or relative.`,
        place,
      );
    }
  }
}

function checkMarkup(element: string, props: Props, place: SourcePlace): void {
  if (props.dangerouslySetInnerHTML === undefined || props.dangerouslySetInnerHTML === null) return;
  if (safeHtmlKind(props.dangerouslySetInnerHTML) !== "content" || !contentHolders.has(element)) {
    throw unsafe(
      `<${element}>: text becomes markup only through the sanitiser.`,
      place,
      "Use <Content of={entry} />",
    );
  }
}

function guardCode(name: "script" | "style", props: Props, place: SourcePlace, context: GuardContext): Props {
  const type = name === "script" ? scriptType(props.type) : "script";
  if (type === undefined) {
    throw unsafe(
      `<script type="${String(props.type)}"> is not accepted.`,
      place,
      'Leave type away, or write "module"; data goes into <JsonIsland>',
    );
  }
  const markup = props.dangerouslySetInnerHTML;
  if (markup !== undefined && markup !== null) {
    if (name === "script" && hasAddress(props))
      throw unsafe("a script has an address or a text, not both.", place);
    if (safeHtmlKind(markup) === (type === "data" ? "json" : "source")) return props;
    throw unsafe(`<${name}>: its text must be a literal in a template.`, place);
  }
  const { children } = props;
  const attributes: Props = { ...props, children: undefined };
  const text = textOf(children);
  if (name === "script" && hasAddress(props)) {
    if (text !== "") throw unsafe("a script has an address or a text, not both.", place);
    if (typeof props.src !== "string" || props.src === "")
      throw unsafe("a script's src is an address.", place);
    return withIntegrity(attributes, props.src, context);
  }
  if (text === "") throw unsafe(`this <${name}> is empty.`, place);
  if (type === "data") throw unsafe("data goes into a page through <JsonIsland>, which escapes it.", place);
  if (text === undefined || !context.inlineCode[name].has(text)) {
    throw unsafe(
      `the text of this <${name}> stands in no template's source as a literal inside <${name}>.`,
      place,
      `Write <${name}>{\`…\`}</${name}> with the text itself, not a variable`,
    );
  }
  return { ...attributes, dangerouslySetInnerHTML: vouchForHtml(text, "source") };
}

/** Whether a browser would see a `src`, in whatever case and even when it is empty: it then ignores the script's text. */
function hasAddress(props: Props): boolean {
  return Object.entries(props).some(
    ([name, value]) =>
      name.toLowerCase() === "src" && value !== undefined && value !== null && value !== false,
  );
}

/** The text of a script's children; undefined when they are more than text. */
function textOf(children: unknown): string | undefined {
  if (children === undefined || children === null || typeof children === "boolean") return "";
  if (typeof children === "string") return children;
  if (!Array.isArray(children)) return undefined;
  const texts = children.map(textOf);
  return texts.includes(undefined) ? undefined : texts.join("");
}

function withIntegrity(props: Props, address: unknown, context: GuardContext): Props {
  const url = typeof address === "string" ? URL.parse(address, context.url) : null;
  const isOwn = url !== null && url.origin === new URL(context.url).origin;
  const integrity = isOwn ? context.integrityOf(url.pathname) : undefined;
  return integrity === undefined ? props : { ...props, integrity };
}

function placeOf(node: VNode): SourcePlace | undefined {
  // oxlint-disable-next-line no-underscore-dangle -- what the compiler calls it
  const source = (node as { __source?: { fileName?: string; lineNumber?: number } }).__source;
  return source?.fileName === undefined ? undefined : { file: source.fileName, line: source.lineNumber };
}

function unsafe(message: string, place: SourcePlace, hint?: string): Error {
  return siteError("SITE_TEMPLATE_UNSAFE", message, { place, ...(hint === undefined ? {} : { hint }) });
}
