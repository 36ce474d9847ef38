import { isNode, maxParsedLength, parseScript, textOf, walkSyntax } from "./script-syntax.ts";
import type { SyntaxNode } from "./script-syntax.ts";

const words = /\beval\b|\bFunction\s*\(|\bnew\s+Function\b|\bset(?:Timeout|Interval)\s*\(\s*["'`]/;
const calls: ReadonlySet<string> = new Set(["CallExpression", "OptionalCallExpression", "NewExpression"]);

/**
 * Tells whether a script makes code from strings: by `eval`, `Function`, or a text given to a timer. Old ways of finding the global
 * object, `Function("return this")()`, are none: browsers know `globalThis`, which they try before, or catch what is refused.
 */
export function makesCode(source: string, asModule: boolean): boolean {
  if (!words.test(source)) return false;
  if (source.length > maxParsedLength) return true;
  const program = parseScript(source, asModule);
  let found = false;
  if (program !== undefined) walkSyntax(program, (node) => (found ||= isMaker(node)));
  return found;
}

function isMaker(node: SyntaxNode): boolean {
  if (!calls.has(node.type)) return false;
  const list = node["arguments"] as readonly unknown[];
  switch (nameOf(node["callee"])) {
    case "eval":
      return list.length > 0;
    case "Function":
      return textOf(list[0])?.text !== "return this";
    case "setTimeout":
    case "setInterval":
      return textOf(list[0]) !== undefined;
    default:
      return false;
  }
}

/** `eval`, `(0, eval)` and `window.eval` are one. */
function nameOf(callee: unknown): string | undefined {
  if (!isNode(callee)) return undefined;
  if (callee.type === "Identifier") return String(callee["name"]);
  if (callee.type === "SequenceExpression")
    return nameOf((callee["expressions"] as readonly unknown[]).at(-1));
  const { object, property } = callee as { object?: unknown; property?: unknown };
  const isGlobal = isNode(object) && ["window", "self", "globalThis"].includes(String(object["name"]));
  return isGlobal ? nameOf(property) : undefined;
}
