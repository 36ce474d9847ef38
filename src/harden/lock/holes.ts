import { isNode, walkSyntax } from "../inspect/script-syntax.ts";
import type { SyntaxNode } from "../inspect/script-syntax.ts";
import { isHarmlessJson, isParsedJson, list } from "./literals.ts";
import { usesSinks } from "./sinks.ts";
import { findStored, isCommand } from "./stored.ts";

/**
 * Finds the parts of a script that are data and not code: what may differ from run to run without anybody's leave.
 *
 * 1. What the script leaves under a global name of its own and never mentions again: whoever reads it is other code, which is locked itself.
 * 2. In a script that has no way to make code, markup or addresses out of data, every object and array that is written as JSON and is
 *    stored or handed to a function.
 *
 * Everything else counts as code, also every text that stands alone.
 */
export function findHoles(program: SyntaxNode, source: string): ReadonlySet<SyntaxNode> {
  const stored = findStored(program);
  const targets = stored.flatMap(({ target }) => target);
  const inTargets = new Set<SyntaxNode>();
  for (const target of targets) walkSyntax(target, (node) => void inTargets.add(node));
  const written = new Set<SyntaxNode>();
  walkSyntax(program, (node) => {
    if (inTargets.has(node)) return;
    for (const value of placesIn(node)) if (isWrittenAsJson(value, source)) written.add(value);
  });
  // What is in the data must not decide whether it is data: a text that speaks of scripts is none.
  const data = new Set([...written, ...stored.flatMap((entry) => entry.data)]);
  const mentioned = namesIn(program, new Set([...data, ...targets]));
  const left = stored.filter(({ name }) => !mentioned.has(name)).flatMap((entry) => entry.data);
  return new Set(usesSinks(program, data) ? left : [...left, ...written]);
}

/** Every name and every text in a script, outside of `except`. */
function namesIn(program: SyntaxNode, except: ReadonlySet<SyntaxNode>): ReadonlySet<string> {
  const names = new Set<string>();
  const open: unknown[] = [program];
  while (open.length > 0) {
    const value = open.pop();
    if (Array.isArray(value)) for (const member of value) open.push(member);
    else if (isNode(value) && !except.has(value)) {
      if (value.type === "Identifier" || value.type === "JSXIdentifier") names.add(String(value["name"]));
      if (value.type === "StringLiteral") names.add(String(value["value"]));
      if (value.type === "TemplateElement") names.add((value["value"] as { raw: string }).raw);
      for (const member of Object.values(value))
        if (typeof member === "object" && member !== null) open.push(member);
    }
  }
  return names;
}

/** Places where a script puts data: what it declares, assigns and hands over. */
function placesIn(node: SyntaxNode): readonly unknown[] {
  switch (node.type) {
    case "VariableDeclarator":
      return [node["init"]];
    case "AssignmentExpression":
      return node["operator"] === "=" ? [node["right"]] : [];
    case "CallExpression":
      return list(node["arguments"]).filter((part) => !isEmpty(part) && !isCommand(part));
    default:
      return [];
  }
}

const isEmpty = (node: unknown): boolean =>
  isNode(node) && list(node["elements"] ?? node["properties"]).length === 0 && node.type !== "CallExpression";

/** Programs write JSON with every key in quotes; people who write options into their code do not. */
function isWrittenAsJson(node: unknown, source: string): node is SyntaxNode {
  if (!isNode(node)) return false;
  if (node.type === "CallExpression") return isParsedJson(node);
  if (node.type !== "ObjectExpression" && node.type !== "ArrayExpression") return false;
  return isHarmlessJson(source.slice(Number(node["start"]), Number(node["end"])));
}
