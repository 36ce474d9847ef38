import { isNode } from "../inspect/script-syntax.ts";
import type { SyntaxNode } from "../inspect/script-syntax.ts";
import { list } from "./literals.ts";

/**
 * Words that turn a text into code, markup or an address, or send something to an address: as names, in texts and inside templates.
 * `el["inner" + "HTML"]` has none of them, but is a computed access.
 */
const sinkWords =
  /\b(?:eval|Function|constructor|(?:inner|outer)HTML|insertAdjacentHTML|write(?:ln)?|srcdoc|createContextualFragment|parseFromString|(?:set|parse)HTML(?:Unsafe)?|(?:Shared)?Worker|serviceWorker|importScripts|createElementNS|location|navigation|open|src|srcset|href|action|formAction|cookie|setAttribute(?:NS|Node)?|attributes|attributeStyleMap|cssText|insertRule|replaceSync|execCommand|on[a-z]{3,}|jQuery|fetch|XMLHttpRequest|WebSocket|WebTransport|EventSource|sendBeacon|postMessage|import|require|define|defineProperty|defineProperties|setPrototypeOf|assign|Reflect|Proxy|apply|call|bind|__proto__|prototype|javascript)\b|^\$$/;

/** Elements whose text is text, and that load and run nothing. */
const plainElements =
  /^(?:div|span|p|li|ul|ol|dl|dt|dd|table|thead|tbody|tr|td|th|h[1-6]|section|article|header|footer|nav|aside|main|button|option|label|time|strong|em|b|i|u|s|small|mark|code|pre|figure|figcaption|br|hr|canvas)$/i;

const timers = new Set([
  "setTimeout",
  "setInterval",
  "setImmediate",
  "queueMicrotask",
  "requestAnimationFrame",
]);

/**
 * Tells whether a script has any way to make code, markup or an address out of what it is given, as far as its text shows. It errs
 * on one side: a word in a text counts as well.
 *
 * @param except data that is no part of the code
 */
export function usesSinks(program: SyntaxNode, except: ReadonlySet<SyntaxNode>): boolean {
  const open: unknown[] = [program];
  while (open.length > 0) {
    const value = open.pop();
    if (Array.isArray(value)) for (const member of value) open.push(member);
    else if (isNode(value) && !except.has(value)) {
      if (isSink(value)) return true;
      for (const member of isPlainTimer(value) ? [value["arguments"]] : Object.values(value))
        if (typeof member === "object" && member !== null) open.push(member);
    }
  }
  return false;
}

function isSink(node: SyntaxNode): boolean {
  switch (node.type) {
    case "Identifier":
      // Unless it is called right there with a function: under another name it may be given a text.
      return timers.has(String(node["name"])) || sinkWords.test(String(node["name"]));
    case "StringLiteral":
      return sinkWords.test(String(node["value"]));
    case "TemplateElement":
      return sinkWords.test((node["value"] as { raw: string }).raw);
    case "ImportExpression":
    case "TaggedTemplateExpression":
    case "WithStatement":
      return true;
    case "MemberExpression":
    case "OptionalMemberExpression":
      return isComputedAccess(node);
    case "CallExpression":
    case "OptionalCallExpression":
    case "NewExpression":
      return isComputedCall(node);
    default:
      return false;
  }
}

/** `a[b]` may be any of the words above; `a[0]` and `a["b"]` show what they are. */
function isComputedAccess({ computed, property }: SyntaxNode): boolean {
  if (computed !== true || !isNode(property)) return false;
  if (property.type === "NumericLiteral") return false;
  return property.type !== "StringLiteral" || sinkWords.test(String(property["value"]));
}

/** An element that may run or load something, and a callee that is not written out. */
function isComputedCall({ callee, arguments: parts }: SyntaxNode): boolean {
  if (!isNode(callee)) return true;
  const property = callee["property"];
  const name = isNode(property) ? (property["name"] ?? property["value"]) : callee["name"];
  if (name !== "createElement") return false;
  const [first] = list(parts);
  return !isNode(first) || first.type !== "StringLiteral" || !plainElements.test(String(first["value"]));
}

/** `setTimeout(() => …)` and `window.setTimeout(function () {…})`. */
function isPlainTimer({ type, callee, arguments: parts }: SyntaxNode): boolean {
  if (type !== "CallExpression" || !isNode(callee)) return false;
  const { object, property } = callee;
  const onWindow = isNode(object) && isNode(property) && object["name"] === "window" && property["name"];
  const [first] = list(parts);
  if (!timers.has(String(onWindow === false ? callee["name"] : onWindow)) || !isNode(first)) return false;
  return first.type === "FunctionExpression" || first.type === "ArrowFunctionExpression";
}
