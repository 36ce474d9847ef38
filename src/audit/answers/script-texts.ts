import { parse } from "@babel/parser";

/** Stands in a text for a part that only a run would tell. */
export const unknownPart = "\0";

/** What a script says, as far as its syntax tells. */
export interface ScriptTexts {
  /** Its texts, each as whole as it can be put together, with {@link unknownPart} for the rest. What is in comments is none. */
  readonly texts: ReadonlySet<string>;
  /** What it imports, other than types. */
  readonly imports: ReadonlySet<string>;
  /** Names of the islands that it declares. */
  readonly islands: readonly string[];
}

/** Longer scripts are not parsed: a tree takes a hundred times the memory of its text. In characters. */
const maxLength = 3_000_000;

interface Node {
  readonly type: string;
  readonly [member: string]: unknown;
}

/** By which name a text is known throughout a script. */
type Names = ReadonlyMap<string, string>;

/** Reads a script: JavaScript, TypeScript, JSX, or JSON. Undefined: it is none of them, or too long. */
export function scriptTexts(script: string, file: string): ScriptTexts | undefined {
  const root = parsed(script, file);
  if (root === undefined) return undefined;
  const nodes = [...everyNode(root)];
  const names = knownNames(nodes);
  return {
    texts: new Set(wholeTexts(root, names)),
    imports: new Set(nodes.flatMap((node) => importsOf(node, names))),
    islands: nodes.flatMap(islandsOf),
  };
}

function parsed(script: string, file: string): Node | undefined {
  if (script.length > maxLength) return undefined;
  const isTyped = /\.[cm]?tsx?$/.test(file);
  try {
    const { program } = parse(file.endsWith(".json") ? `(${script})` : script, {
      sourceType: "module",
      // In a plain .ts file, `<Type>value` is no element.
      plugins: [
        ...(isTyped ? ["typescript" as const] : []),
        ...(file.endsWith("ts") ? [] : ["jsx" as const]),
      ],
      createImportExpressions: true,
      attachComment: false,
    });
    return isNode(program) ? program : undefined;
  } catch {
    return undefined;
  }
}

const isNode = (value: unknown): value is Node =>
  typeof value === "object" && value !== null && typeof (value as { type?: unknown }).type === "string";

const childrenOf = (node: Node): Node[] =>
  Object.values(node)
    .flatMap((member) => (Array.isArray(member) ? (member as unknown[]) : [member]))
    .filter(isNode);

/** All nodes of a tree, without recursion: scripts nest deeply. */
function* everyNode(root: Node): Generator<Node> {
  const pending = [root];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    yield node;
    pending.push(...childrenOf(node));
  }
}

/** Each text once, with all that it is joined with; then what is in its unknown parts. */
function* wholeTexts(root: Node, names: Names): Generator<string> {
  const pending = [root];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    const parts = partsOf(node, names);
    if (parts === undefined) pending.push(...childrenOf(node));
    else {
      yield textOf(parts);
      pending.push(...parts.filter(isNode).flatMap(childrenOf));
    }
  }
}

const textOf = (parts: readonly (string | Node)[]): string =>
  parts.map((part) => (typeof part === "string" ? part : unknownPart)).join("");

/** What an expression joins to a text, in order. Undefined: it makes none that can be seen. */
function partsOf(node: Node, names: Names): (string | Node)[] | undefined {
  switch (node.type) {
    case "StringLiteral":
    case "JSXText":
      return [String(node["value"])];
    case "Identifier":
      return known(names.get(String(node["name"])));
    case "TSAsExpression":
    case "TSSatisfiesExpression":
    case "TSNonNullExpression":
      return partsOf(node["expression"] as Node, names);
    case "TemplateLiteral":
      return partsOfTemplate(node, names);
    case "BinaryExpression":
      return partsOfSum(node, names);
    case "CallExpression":
      return partsOfCall(node, names);
    default:
      return undefined;
  }
}

const known = (text: string | undefined): string[] | undefined => (text === undefined ? undefined : [text]);

/** What is joined is a text, whatever it was before. */
function partsWithin(node: Node, names: Names): (string | Node)[] {
  if (node.type === "NumericLiteral" || node.type === "BooleanLiteral") return [String(node["value"])];
  return partsOf(node, names) ?? [node];
}

function partsOfTemplate(node: Node, names: Names): (string | Node)[] {
  const quasis = node["quasis"] as readonly { value: { cooked: string | null } }[];
  const expressions = node["expressions"] as readonly Node[];
  return quasis.flatMap(({ value }, index) => {
    const next = expressions[index];
    return [value.cooked ?? "", ...(next === undefined ? [] : partsWithin(next, names))];
  });
}

/** Sums are long, and lean to the left: they are taken apart without recursion. */
function partsOfSum(node: Node, names: Names): (string | Node)[] | undefined {
  const summands: Node[] = [];
  let left = node;
  while (left.type === "BinaryExpression" && left["operator"] === "+") {
    summands.unshift(left["right"] as Node);
    left = left["left"] as Node;
  }
  summands.unshift(left);
  // Of numbers alone it is no text.
  if (summands.length === 1 || summands.every((summand) => partsOf(summand, names) === undefined))
    return undefined;
  return summands.flatMap((summand) => partsWithin(summand, names));
}

/** `[a, b].join("/")` and `"a".concat(b)`. */
function partsOfCall(node: Node, names: Names): (string | Node)[] | undefined {
  const callee = node["callee"] as Node;
  if (callee.type !== "MemberExpression" || callee["computed"] === true) return undefined;
  const name = String((callee["property"] as Node)["name"]);
  const of = callee["object"] as Node;
  const given = node["arguments"] as readonly Node[];
  if (name === "concat" && partsOf(of, names) !== undefined)
    return [of, ...given].flatMap((argument) => partsWithin(argument, names));
  if (name !== "join" || of.type !== "ArrayExpression") return undefined;
  const between = given[0] === undefined ? [","] : partsWithin(given[0], names);
  return (of["elements"] as readonly (Node | null)[]).flatMap((element, index) => [
    ...(index === 0 ? [] : between),
    ...(element === null ? [] : partsWithin(element, names)),
  ]);
}

/** Names that stand for one text wherever they stand: declared once in a script, and never given another value. */
function knownNames(nodes: readonly Node[]): Names {
  const names = new Map<string, string>();
  const others = new Set<string>();
  const seen = new Set<string>();
  for (const node of nodes) for (const name of boundOtherwise(node)) others.add(name);
  // Once more, for what is made from names that are declared below it.
  for (const round of [1, 2])
    for (const node of nodes) {
      if (node.type !== "VariableDeclarator" || (node["id"] as Node).type !== "Identifier") continue;
      const name = String((node["id"] as Node)["name"]);
      if (round === 1 && seen.has(name)) others.add(name);
      seen.add(name);
      const parts = isNode(node["init"]) ? partsOf(node["init"], names) : undefined;
      if (parts?.every((part) => typeof part === "string") === true) names.set(name, parts.join(""));
    }
  for (const name of others) names.delete(name);
  return names;
}

/** Names that mean something else than what they are declared with: parameters, and what is assigned to. */
function boundOtherwise(node: Node): string[] {
  const bound = [
    ...(Array.isArray(node["params"]) ? (node["params"] as unknown[]) : []),
    ...(node.type === "AssignmentExpression" ? [node["left"]] : []),
    ...(node.type === "CatchClause" ? [node["param"]] : []),
    ...(node.type === "VariableDeclarator" && (node["id"] as Node).type !== "Identifier" ? [node["id"]] : []),
  ].filter(isNode);
  return bound.flatMap((pattern) =>
    [...everyNode(pattern)].filter(({ type }) => type === "Identifier").map(({ name }) => String(name)),
  );
}

/** Asked at run time for what nobody can see here, it is {@link unknownPart}. */
function importsOf(node: Node, names: Names): string[] {
  const isType = node["importKind"] === "type" || node["exportKind"] === "type";
  if (isType || !naming.has(node.type) || !isNode(node["source"])) return [];
  return [textOf(partsWithin(node["source"], names))];
}

const naming = new Set([
  "ImportDeclaration",
  "ExportNamedDeclaration",
  "ExportAllDeclaration",
  "ImportExpression",
]);

/** `island("Cakes", …)`. */
function islandsOf(node: Node): string[] {
  if (node.type !== "CallExpression" || (node["callee"] as Node)["name"] !== "island") return [];
  const [name] = node["arguments"] as readonly Node[];
  return name?.type === "StringLiteral" ? [String(name["value"])] : [];
}
