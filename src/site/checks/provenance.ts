import { siteError } from "../errors.ts";
import type { SourcePlace } from "../errors.ts";
import { isIslandFile } from "../islands/names.ts";
import { isPure } from "./purity.ts";
import { refusedAttribute, refusedElement } from "./refusals.ts";
import { nodesOf, parseSource } from "./template-syntax.ts";
import type { Node } from "./template-syntax.ts";

/** Inline code of a site, as its templates' sources spell it. */
export interface InlineCode {
  readonly script: Set<string>;
  readonly style: Set<string>;
}

/** An empty {@link InlineCode}. */
export function createInlineCode(): InlineCode {
  return { script: new Set(), style: new Set() };
}

/**
 * Reads one source file of the templates before any content is bound: adds its inline scripts and styles to `code`, and refuses
 * what could turn content into code.
 *
 * @returns whether what it renders depends on nothing but what it is given; see {@link isPure}
 * @throws {CurtainwallError} `SITE_TEMPLATE_UNSAFE` or `SITE_TEMPLATE_INVALID`, with file and line.
 */
export function collectInlineCode(file: string, source: string, code: InlineCode): boolean {
  const program = parseSource(file, source);
  for (const node of nodesOf(program)) {
    if (node.type === "JSXElement") checkElement(file, node, code);
  }
  return isPure(program);
}

function checkElement(file: string, element: Node, code: InlineCode): void {
  const opening = element.openingElement as Node;
  const place = { file, line: opening.loc?.start.line };
  const name = nameOf(opening.name as Node);
  if (name === undefined || !isIntrinsic(name)) return;
  const refusal = refusedElement(name);
  if (refusal !== undefined) throw unsafe(refusal, place);
  const attributes = opening.attributes as Node[];
  for (const attribute of attributes) {
    if (attribute.type !== "JSXAttribute") continue;
    const attributeName = nameOf(attribute.name as Node) ?? "";
    if (isIslandFile(file) && isHandler(attributeName, attribute)) continue;
    const problem = refusedAttribute(name, attributeName);
    if (problem !== undefined) throw unsafe(problem, { file, line: attribute.loc?.start.line });
  }
  if (name === "script" || name === "style") collect(name, element, place, code);
}

/** A function for an island's event. A text would be code in an attribute, which no page has. */
function isHandler(name: string, { value }: Node): boolean {
  const holder = value as Node | null;
  const isText = (holder?.expression as Node | undefined)?.type === "StringLiteral";
  return /^on[A-Z]/.test(name) && holder?.type === "JSXExpressionContainer" && !isText;
}

/** `a`, `xlink:href`; undefined for `Shop.Door`, which is a component. */
function nameOf(name: Node): string | undefined {
  if (name.type === "JSXIdentifier") return name.name as string;
  if (name.type === "JSXNamespacedName")
    return `${(name.namespace as Node).name as string}:${(name.name as Node).name as string}`;
  return undefined;
}

/** JSX takes a name for an element's when it begins with a small letter, or has a hyphen or colon. */
const isIntrinsic = (name: string): boolean => /^[a-z]/.test(name) || /[-:]/.test(name);

function collect(kind: "script" | "style", element: Node, place: SourcePlace, code: InlineCode): void {
  const text = literalText(kind, element, place);
  if (text === undefined) return;
  const problem = codeProblem(kind, text);
  if (problem !== undefined) throw unsafe(problem, place);
  code[kind].add(text);
}

/** The one literal inside a script or style; undefined when there is none, as with `src`. */
function literalText(kind: string, element: Node, place: SourcePlace): string | undefined {
  const children = (element.children as Node[]).filter(
    (child) => child.type !== "JSXText" || cleanJsxText(child.value as string) !== "",
  );
  const [child] = children;
  if (child === undefined) return undefined;
  if (children.length === 1) {
    if (child.type === "JSXText") return cleanJsxText(child.value as string);
    const expression = child.expression as Node;
    if (child.type === "JSXExpressionContainer" && expression.type === "JSXEmptyExpression") return undefined;
    if (child.type === "JSXExpressionContainer" && expression.type === "StringLiteral")
      return expression.value as string;
    if (
      child.type === "JSXExpressionContainer" &&
      expression.type === "TemplateLiteral" &&
      (expression.expressions as Node[]).length === 0
    )
      return ((expression.quasis as Node[])[0]?.value as { cooked: string } | undefined)?.cooked;
  }
  throw unsafe(
    `the text of <${kind}> must be one literal, so that its hash is known before content is bound.`,
    { ...place, line: child.loc?.start.line },
    kind === "script"
      ? 'Write {`…`} without ${…}; hand data over with <JsonIsland id="…" data={…} />'
      : "Write {`…`} without ${…}; choose between looks with classes",
  );
}

/** Why a text can't stand inside a script or style element, if it can't. */
function codeProblem(kind: string, text: string): string | undefined {
  if (/<\/(?:script|style)|<!--/i.test(text))
    return `the text of <${kind}> must not hold </script, </style or <!--.`;
  // oxlint-disable-next-line no-control-regex -- a browser changes these while it reads, and the hash would no longer match
  if (/[\u0000\r]/.test(text)) return `the text of <${kind}> must not hold a carriage return or NUL.`;
  return undefined;
}

/** JSX's rule for text: lines are trimmed where they meet, empty ones vanish, the rest are joined by a space. */
function cleanJsxText(text: string): string {
  const lines = text.split(/\r\n|\n|\r/);
  return lines
    .map((line, index) => {
      const start = index === 0 ? line : line.replace(/^[ \t]+/, "");
      return index === lines.length - 1 ? start : trimBlanksAtEnd(start);
    })
    .filter((line) => line !== "")
    .join(" ");
}

function trimBlanksAtEnd(line: string): string {
  let end = line.length;
  while (end > 0 && (line[end - 1] === " " || line[end - 1] === "\t")) end--;
  return line.slice(0, end);
}

function unsafe(message: string, place: SourcePlace, hint?: string): Error {
  return siteError("SITE_TEMPLATE_UNSAFE", message, { place, ...(hint === undefined ? {} : { hint }) });
}
