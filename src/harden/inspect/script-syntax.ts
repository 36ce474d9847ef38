import { parse } from "@babel/parser";

/** A node of a syntax tree, as far as one looks for it by its type. */
export interface SyntaxNode {
  readonly type: string;
  readonly [member: string]: unknown;
}

/** Longer scripts are not parsed: a tree takes a hundred times the memory of its text. In characters. */
export const maxParsedLength = 3_000_000;

/** Reads a script's syntax; undefined for what no browser would run either. */
export function parseScript(source: string, asModule: boolean): SyntaxNode | undefined {
  for (const sourceType of asModule ? (["module"] as const) : (["script", "module"] as const)) {
    try {
      const { program } = parse(source, {
        sourceType,
        // `import()` and `import.meta` are values here, not nodes that need a plugin of their own.
        createImportExpressions: true,
        errorRecovery: false,
        attachComment: false,
      });
      return program as unknown as SyntaxNode;
    } catch {
      // Tried as a module next, or not at all.
    }
  }
  return undefined;
}

/** Calls `visit` with every node of a tree, parents first, without recursion: scripts nest deeply. */
export function walkSyntax(root: SyntaxNode, visit: (node: SyntaxNode) => void): void {
  const open: unknown[] = [root];
  while (open.length > 0) {
    const value = open.pop();
    if (Array.isArray(value)) {
      for (let index = value.length - 1; index >= 0; index--) open.push(value[index]);
    } else if (isNode(value)) {
      visit(value);
      const members = Object.values(value);
      for (let index = members.length - 1; index >= 0; index--) {
        const member = members[index];
        if (typeof member === "object" && member !== null) open.push(member);
      }
    }
  }
}

/** Tells whether a value is a node of a tree. */
export function isNode(value: unknown): value is SyntaxNode {
  return typeof value === "object" && value !== null && typeof (value as SyntaxNode).type === "string";
}

/** How a text begins, as far as the source alone tells; `whole` if that is all of it. */
export function textOf(value: unknown): { readonly text: string; readonly whole: boolean } | undefined {
  if (!isNode(value)) return undefined;
  if (value.type === "StringLiteral") return { text: String(value["value"]), whole: true };
  if (value.type === "TemplateLiteral") {
    const [first] = value["quasis"] as readonly { value: { cooked: string | null } }[];
    const whole = (value["expressions"] as readonly unknown[]).length === 0;
    return { text: first?.value.cooked ?? "", whole };
  }
  if (value.type === "BinaryExpression" && value["operator"] === "+") {
    const left = textOf(value["left"]);
    if (left === undefined || !left.whole) return left;
    const right = textOf(value["right"]);
    return right === undefined
      ? { text: left.text, whole: false }
      : { text: left.text + right.text, whole: right.whole };
  }
  return undefined;
}
