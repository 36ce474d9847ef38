import { isNode } from "../inspect/script-syntax.ts";
import type { SyntaxNode } from "../inspect/script-syntax.ts";

/**
 * Tells whether an expression is plain data: literals, arrays and objects of them, `JSON.parse` of a text that is JSON, and the
 * functions that devalue writes around repeated values. Nothing in it has an effect or a name that code would look up.
 *
 * @param names parameters that stand for data around it
 */
export function isData(node: unknown, names: ReadonlySet<string> = new Set()): boolean {
  if (!isNode(node)) return false;
  switch (node.type) {
    case "StringLiteral":
    case "NumericLiteral":
    case "BooleanLiteral":
    case "NullLiteral":
      return true;
    case "Identifier":
      return names.has(String(node["name"]));
    case "UnaryExpression":
      return isPlainUnary(node);
    case "ArrayExpression":
      return list(node["elements"]).every((element) => element === null || isData(element, names));
    case "ObjectExpression":
      return list(node["properties"]).every((property) => isPlainProperty(property, names));
    case "CallExpression":
      return isParsedJson(node) || isDevalued(node, names);
    default:
      return false;
  }
}

/** Tells whether a text is JSON that reaches no prototype, wherever it is merged into other objects. */
export function isHarmlessJson(text: string): boolean {
  let harmless = true;
  try {
    JSON.parse(text, (key, value: unknown) => {
      if (key === "__proto__" || (key === "constructor" && hasPrototype(value))) harmless = false;
      return value;
    });
  } catch {
    return false;
  }
  return harmless;
}

/** `constructor.prototype` is what `__proto__` is; a constructor by itself may be one of cars. */
const hasPrototype = (value: unknown): boolean =>
  typeof value === "object" && value !== null && Object.hasOwn(value, "prototype");

/** Numbers with a sign, and what minifiers write for `undefined` and booleans. */
function isPlainUnary({ operator, argument }: SyntaxNode): boolean {
  if (!isNode(argument) || argument.type !== "NumericLiteral") return false;
  return operator === "-" || operator === "+" || operator === "void" || operator === "!";
}

function isPlainProperty(property: unknown, names: ReadonlySet<string>): boolean {
  if (!isNode(property) || property.type !== "ObjectProperty") return false;
  if (property["computed"] === true || property["shorthand"] === true) return false;
  const name = keyName(property);
  if (name === undefined || name === "__proto__") return false;
  const value = property["value"];
  if (name === "constructor" && isNode(value) && list(value["properties"]).some(isPrototype)) return false;
  return isData(value, names);
}

function keyName({ key }: SyntaxNode): string | undefined {
  return isNode(key) ? String(key["name"] ?? key["value"]) : undefined;
}

const isPrototype = (property: unknown): boolean => isNode(property) && keyName(property) === "prototype";

/** `JSON.parse("…")` */
export function isParsedJson({ callee, arguments: parts }: SyntaxNode): boolean {
  if (!isNode(callee) || callee.type !== "MemberExpression" || callee["computed"] === true) return false;
  const [object, property] = [callee["object"], callee["property"]];
  if (!isNode(object) || object["name"] !== "JSON" || !isNode(property) || property["name"] !== "parse")
    return false;
  const [text, ...more] = list(parts);
  return (
    isNode(text) &&
    text.type === "StringLiteral" &&
    more.length === 0 &&
    isHarmlessJson(String(text["value"]))
  );
}

/** `(function(a,b){return {…}})(1,"…")`: what devalue writes, when it is called at once and only puts data into data. */
function isDevalued({ callee, arguments: parts }: SyntaxNode, names: ReadonlySet<string>): boolean {
  if (!isNode(callee) || callee.type !== "FunctionExpression") return false;
  if (callee["async"] === true || callee["generator"] === true || callee["id"] !== null) return false;
  const parameters = list(callee["params"]);
  const statements = isNode(callee["body"]) ? list(callee["body"]["body"]) : [];
  const directives = isNode(callee["body"]) ? list(callee["body"]["directives"]) : [];
  const [statement] = statements;
  if (statements.length !== 1 || directives.length > 0) return false;
  if (!isNode(statement) || statement.type !== "ReturnStatement") return false;
  if (!parameters.every((parameter) => isNode(parameter) && parameter.type === "Identifier")) return false;
  const inner = parameters.map((parameter) => String((parameter as SyntaxNode)["name"]));
  return list(parts).every((part) => isData(part, names)) && isData(statement["argument"], new Set(inner));
}

/** A node's list of others. */
export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
