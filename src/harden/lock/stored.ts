import { isNode } from "../inspect/script-syntax.ts";
import type { SyntaxNode } from "../inspect/script-syntax.ts";
import { isData, isParsedJson, list } from "./literals.ts";

/** Data that a script leaves for others: under which name, and where. */
export interface StoredData {
  readonly name: string;
  /** The data itself. */
  readonly data: readonly SyntaxNode[];
  /** What names the place: mentions there are no use of it. */
  readonly target: readonly SyntaxNode[];
}

/**
 * Finds data that the statements of a script leave under a global name: `window.__NUXT__={…}`, `self.__next_f.push([1,"…"])`,
 * `var DOCUMENTATION_OPTIONS={…}`.
 */
export function findStored(program: SyntaxNode): StoredData[] {
  return list(program["body"]).flatMap((statement) => {
    if (!isNode(statement)) return [];
    if (statement.type === "VariableDeclaration") return list(statement["declarations"]).flatMap(declared);
    if (statement.type === "ExpressionStatement") return expressions(statement["expression"]).flatMap(stored);
    return [];
  });
}

function expressions(expression: unknown): readonly unknown[] {
  if (isNode(expression) && expression.type === "SequenceExpression") return list(expression["expressions"]);
  return [expression];
}

function declared(declarator: unknown): StoredData[] {
  if (!isNode(declarator)) return [];
  const { id, init } = declarator;
  const name = nameOf(id);
  return name !== undefined && isNode(id) && isData(init)
    ? [{ name, data: [init as SyntaxNode], target: [id] }]
    : [];
}

function stored(expression: unknown): StoredData[] {
  if (!isNode(expression)) return [];
  if (expression.type === "AssignmentExpression") return assigned(expression);
  if (expression.type !== "CallExpression") return [];
  const { callee, arguments: parts } = expression;
  if (!isNode(callee) || callee.type !== "MemberExpression" || memberName(callee) !== "push") return [];
  const name = nameOf(callee["object"]) ?? queueName(callee["object"]);
  const data = list(parts);
  return name !== undefined && data.length > 0 && data.every((part) => isData(part) && !isCommand(part))
    ? [{ name, data: data as SyntaxNode[], target: [callee["object"] as SyntaxNode] }]
    : [];
}

/**
 * A text or a list that is given to a member may be given to an element, which a global name may stand for, and there be markup or an
 * address (`intro.innerHTML = "…"`); an object is neither.
 */
function assigned({ left, right, operator }: SyntaxNode): StoredData[] {
  if (operator !== "=" || !isNode(left) || !isData(right)) return [];
  const name = nameOf(left);
  return name !== undefined && (isGlobal(left) || isObject(right))
    ? [{ name, data: [right as SyntaxNode], target: [left] }]
    : [];
}

/** `x` and `window.x`, not `x.y`. */
function isGlobal(place: SyntaxNode): boolean {
  const path = pathOf(place) ?? [];
  return path.length === (globals.has(path[0] ?? "") ? 2 : 1);
}

/** Tells whether data is an object, which as a text is only `[object Object]`. */
function isObject(data: unknown): boolean {
  if (!isNode(data)) return false;
  if (data.type !== "CallExpression") return data.type === "ObjectExpression";
  const [text] = list(data["arguments"]);
  if (isParsedJson(data)) return isNode(text) && /^\s*\{/.test(String(text["value"]));
  const body = isNode(data["callee"]) ? data["callee"]["body"] : undefined;
  const [statement] = isNode(body) ? list(body["body"]) : [];
  return isNode(statement) && isObject(statement["argument"]);
}

/** What trackers take from a queue as an order: `["setTrackerUrl", "https://…"]`. A text alone may be an address. */
export function isCommand(part: unknown): boolean {
  if (!isNode(part)) return true;
  if (part.type !== "ArrayExpression") return !isObject(part);
  const [first] = list(part["elements"]);
  return first !== undefined && isNode(first) && first.type === "StringLiteral";
}

/** `self.queue=self.queue||[]` and `self.queue||(self.queue=[])`: the same name on both sides, and nothing else. */
function queueName(node: unknown): string | undefined {
  if (!isNode(node)) return undefined;
  if (node.type === "AssignmentExpression") {
    const { left, right, operator } = node;
    const name = nameOf(left);
    if (operator === "||=" || operator === "??=") return isEmptyList(right) ? name : undefined;
    if (operator !== "=" || !isNode(right) || right.type !== "LogicalExpression") return undefined;
    return nameOf(right["left"]) === name && isEmptyList(right["right"]) ? name : undefined;
  }
  if (node.type !== "LogicalExpression") return undefined;
  const { left, right } = node;
  const name = nameOf(left);
  if (!isNode(right) || right.type !== "AssignmentExpression" || right["operator"] !== "=") return undefined;
  return nameOf(right["left"]) === name && isEmptyList(right["right"]) ? name : undefined;
}

const isEmptyList = (node: unknown): boolean =>
  isNode(node) && node.type === "ArrayExpression" && list(node["elements"]).length === 0;

const globals = new Set(["window", "self", "globalThis"]);

/**
 * Names whose assignment does something by itself, or that stand for something of the browser's. An array given to `location` leads
 * away from the page.
 */
const taken =
  /^(?:window|self|globalThis|frames|parent|top|opener|document|location|navigation|history|name|status|event|external|customElements|trustedTypes|caches|cookieStore|origin|length|closed|on.*|eval|Function|Object|Array|String|Number|Boolean|Promise|Symbol|Reflect|Proxy|JSON|Math|Date|RegExp|Error|Map|Set|URL|Worker|SharedWorker|Node|Element|Document|HTML.*|SVG.*|EventTarget|Response|Request|Headers|fetch|crypto|performance|navigator|screen|localStorage|sessionStorage|indexedDB|prototype|constructor|__proto__|set(?:Timeout|Interval)|importScripts|import)$/;

/**
 * The global name under which a place lies: `x` of `x`, `window.x` and `window.x.y`. Undefined for a place that is not written out, and
 * for names that are the browser's.
 */
function nameOf(place: unknown): string | undefined {
  const path = pathOf(place);
  if (path === undefined) return undefined;
  const names = globals.has(path[0] ?? "") ? path.slice(1) : path;
  if (names.length === 0 || names.some((name) => taken.test(name))) return undefined;
  return names[0];
}

function pathOf(place: unknown): string[] | undefined {
  if (!isNode(place)) return undefined;
  if (place.type === "Identifier") return [String(place["name"])];
  if (place.type !== "MemberExpression") return undefined;
  const outer = pathOf(place["object"]);
  const name = memberName(place);
  return outer === undefined || name === undefined ? undefined : [...outer, name];
}

function memberName({ computed, property }: SyntaxNode): string | undefined {
  if (!isNode(property)) return undefined;
  if (computed === true) return property.type === "StringLiteral" ? String(property["value"]) : undefined;
  return property.type === "Identifier" ? String(property["name"]) : undefined;
}
