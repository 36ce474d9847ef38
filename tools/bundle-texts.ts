// Code is rewritten by patterns, and a text in it (the code of a mend) may look like code: it has to leave as it came.
import { parse } from "@babel/parser";
import type { ParserPlugin } from "@babel/parser";

/** A text of a module, without its quotes, and where it stands. */
interface Text {
  readonly value: string;
  readonly start: number;
  readonly end: number;
}

interface SyntaxNode {
  readonly type: string;
  readonly start: number;
  readonly end: number;
}

/** Replaces what a pattern finds in a module's code, but for what stands in a text. */
export function replaceInCode(
  code: string,
  pattern: RegExp,
  { path, replace }: { path: string; replace(member: string): string },
): string {
  if (code.search(pattern) < 0) return code;
  const texts = textsOf(path, code);
  return code.replaceAll(pattern, (found: string, member: string, at: number) =>
    texts.some(({ start, end }) => start <= at && at < end) ? found : replace(member),
  );
}

/**
 * Holds a rewritten module to its source: every text of it is there as it was, in its order. What it imports is no text.
 *
 * @throws {Error} with the first text that is not
 */
export function assertTextsKept(path: string, { before, after }: { before: string; after: string }): void {
  const kept = textsOf(path, after).map(({ value }) => value);
  let next = 0;
  for (const { value } of textsOf(path, before)) {
    const at = kept.indexOf(value, next);
    if (at < 0) throw new Error(`the bundle changes a text of ${path}: ${JSON.stringify(value)}`);
    next = at + 1;
  }
}

function textsOf(path: string, code: string): Text[] {
  const plugins: ParserPlugin[] = path.endsWith("x") ? ["typescript", "jsx"] : ["typescript"];
  const texts: Text[] = [];
  const pending: unknown[] = [parse(code, { sourceType: "module", plugins }).program];
  while (pending.length > 0) {
    const next = pending.pop();
    if (Array.isArray(next)) pending.push(...next);
    else if (isNode(next)) {
      if (isText(next)) texts.push({ value: code.slice(next.start, next.end), ...placeOf(next) });
      else pending.push(...partsOf(next));
    }
  }
  return texts.sort((left, right) => left.start - right.start);
}

const isNode = (value: unknown): value is SyntaxNode =>
  typeof value === "object" && value !== null && "type" in value && "start" in value;

const isText = ({ type }: SyntaxNode): boolean =>
  ["StringLiteral", "DirectiveLiteral", "TemplateElement", "JSXText"].includes(type);

const placeOf = ({ start, end }: SyntaxNode): Omit<Text, "value"> => ({ start, end });

/** Of what imports or exports, and of `import(…)`, all but whence. */
const partsOf = (node: SyntaxNode): unknown[] =>
  Object.entries(node).flatMap(([name, part]) =>
    name === "source" && /^(?:Import|Export)/.test(node.type) ? [] : [part as unknown],
  );
