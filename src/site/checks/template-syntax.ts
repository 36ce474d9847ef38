import { parse } from "@babel/parser";
import { siteError } from "../errors.ts";

/** The part of a syntax tree's node that is read here. */
export interface Node {
  readonly type: string;
  readonly loc?: { readonly start: { readonly line: number } } | null;
  readonly [member: string]: unknown;
}

/** Reads a source file of the templates. @throws {CurtainwallError} `SITE_TEMPLATE_INVALID`, with file and line. */
export function parseSource(file: string, source: string): Node {
  const hasTypes = /\.[cm]?tsx?$/.test(file);
  const hasMarkup = /\.(?:[jt]sx|[cm]?js)$/.test(file);
  try {
    return parse(source, {
      sourceType: "module",
      plugins: [...(hasTypes ? ["typescript" as const] : []), ...(hasMarkup ? ["jsx" as const] : [])],
    }).program as unknown as Node;
  } catch (cause) {
    const { loc, message } = cause as { loc?: { line: number }; message: string };
    throw siteError("SITE_TEMPLATE_INVALID", message, { place: { file, line: loc?.line }, cause });
  }
}

/** Whether a value is part of a syntax tree. */
export const isNode = (value: unknown): value is Node =>
  typeof value === "object" && value !== null && typeof (value as Node).type === "string";

/** Every node of a tree, the root too. */
export function* nodesOf(root: Node): Generator<Node> {
  const pending = [root];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    yield node;
    for (const member of Object.values(node)) {
      for (const child of Array.isArray(member) ? member : [member]) if (isNode(child)) pending.push(child);
    }
  }
}
