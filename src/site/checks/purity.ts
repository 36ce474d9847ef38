import { isNode, nodesOf } from "./template-syntax.ts";
import type { Node } from "./template-syntax.ts";

/** Names that lead to what is different at another time, on another machine, or after another page. */
const outside = new Set([
  "process",
  "global",
  "globalThis",
  "window",
  "self",
  "crypto",
  "performance",
  "fetch",
  "require",
  "eval",
  "Function",
  "Temporal",
  "navigator",
  "localStorage",
  "sessionStorage",
  "caches",
  "WeakRef",
]);

/** Options of {@link isPure}. */
export interface PurityOptions {
  /** Whether a source may read `process.env`, since somebody watches what it reads. Default false. */
  environment?: boolean;
}

/**
 * Whether what a source file renders depends on nothing but what it is given, as far as its text can tell: it reads no clock, no chance,
 * no environment, and keeps no variable from one page to the next. When in doubt it does not.
 */
export function isPure(program: Node, { environment = false }: PurityOptions = {}): boolean {
  for (const statement of program.body as Node[]) {
    const declaration = isNode(statement.declaration) ? statement.declaration : statement;
    if (declaration.type === "VariableDeclaration" && declaration.kind !== "const") return false;
  }
  const fine = new Set<Node>();
  for (const node of nodesOf(program)) {
    if (node.type === "Import" || node.type === "ImportExpression" || node.type === "MetaProperty")
      return false;
    noteFine(node, fine);
    if (environment) noteEnvironment(node, fine);
    // A day without a date, of Intl or of Date, is today.
    if (isCallWithout(node) && nameOf((node.callee as Node).property) === "format") return false;
    const name = nameOf(node);
    if (name === undefined || fine.has(node)) continue;
    if (outside.has(name) || name === "Date" || name === "Math") return false;
  }
  return true;
}

const nameOf = (node: unknown): string | undefined =>
  isNode(node) && node.type === "Identifier" ? (node.name as string) : undefined;

const isCallWithout = (node: Node): boolean =>
  /^(?:Optional)?CallExpression$/.test(node.type) &&
  (node.arguments as Node[]).length === 0 &&
  isNode(node.callee) &&
  "property" in node.callee;

/** Notes the uses of Date and Math that always give the same. A node is visited before what is in it. */
function noteFine(node: Node, fine: Set<Node>): void {
  const { callee, object, property } = node;
  if (node.type === "NewExpression" && nameOf(callee) === "Date") {
    const [first] = node.arguments as Node[];
    if (first !== undefined && first.type !== "SpreadElement") fine.add(callee as Node);
  }
  if (node.type !== "MemberExpression" || node.computed === true) return;
  const name = nameOf(property) ?? "";
  if (nameOf(object) === "Math" && name !== "random") fine.add(object as Node);
  if (nameOf(object) === "Date" && (name === "parse" || name === "UTC")) fine.add(object as Node);
}

function noteEnvironment({ type, computed, object, property }: Node, fine: Set<Node>): void {
  if (type !== "MemberExpression" || computed === true || nameOf(property) !== "env") return;
  if (nameOf(object) === "process") fine.add(object as Node);
}
