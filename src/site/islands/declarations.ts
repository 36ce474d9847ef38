import { parse } from "@babel/parser";
import { siteError } from "../errors.ts";

/** An island, as its file declares it. */
export interface IslandDeclaration {
  readonly name: string;
  /** Where the second argument stands, the props' schema. */
  readonly props: readonly [start: number, end: number];
}

/** The part of a syntax tree's node that is read here. */
interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly loc?: { readonly start: { readonly line: number } } | null;
  readonly [member: string]: unknown;
}

/**
 * Finds the islands that a file declares. Only `export const Name = island("Name", …)` is one, so that the build knows without
 * running anything what goes to browsers, and under which name.
 *
 * @throws {CurtainwallError} `SITE_ISLAND_INVALID`, with the line.
 */
export function findIslands(file: string, source: string): IslandDeclaration[] {
  const islands = programOf(source)
    .flatMap((statement) => exportedVariables(statement))
    .flatMap((variable) => {
      const call = variable.init as Node | null;
      if (call?.type !== "CallExpression" || (call.callee as Node).name !== "island") return [];
      const [name, props] = call.arguments as [Node?, Node?];
      const id = (variable.id as Node).name as string;
      if (name?.type !== "StringLiteral" || name.value !== id || props === undefined) {
        throw siteError("SITE_ISLAND_INVALID", `the island ${id} is not called by its own name.`, {
          place: { file, line: call.loc?.start.line },
          hint: `Write  export const ${id} = island("${id}", { … }, (props) => …)`,
        });
      }
      return [{ name: id, props: [props.start, props.end] as const }];
    });
  return islands;
}

/** Takes the props' schemas out of a source: browsers check against what was made of them, and need no Zod. */
export function withoutSchemas(source: string, islands: readonly IslandDeclaration[]): string {
  return islands.reduceRight(
    (text, { props: [start, end] }) => `${text.slice(0, start)}0${text.slice(end)}`,
    source,
  );
}

/** The texts of a source that are among `texts`, wherever they stand as literals. */
export function literalsIn(source: string, texts: ReadonlySet<string>): Set<string> {
  const found = new Set<string>();
  const pending: unknown[] = [...programOf(source)];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    const { type, value } = node as Node;
    if (type === "StringLiteral" && texts.has(value as string)) found.add(value as string);
    if (type === "TemplateElement" && texts.has((value as { cooked: string }).cooked))
      found.add((value as { cooked: string }).cooked);
    for (const member of Object.values(node as Node))
      for (const child of Array.isArray(member) ? member : [member])
        if (typeof child === "object" && child !== null && "type" in child) pending.push(child);
  }
  return found;
}

function programOf(source: string): Node[] {
  const { program } = parse(source, { sourceType: "module", plugins: ["typescript", "jsx"] });
  return program.body as unknown as Node[];
}

function exportedVariables(statement: Node): Node[] {
  const declaration = statement.declaration as Node | null | undefined;
  if (statement.type !== "ExportNamedDeclaration" || declaration?.type !== "VariableDeclaration") return [];
  return declaration.declarations as Node[];
}
