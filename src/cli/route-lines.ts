import { readFileSync } from "node:fs";
import { relative } from "node:path";
import { parse } from "@babel/parser";

/** A part of a syntax tree, as far as it is looked at here. */
interface Syntax {
  readonly type: string;
  readonly loc?: { readonly start: { readonly line: number } } | null;
  readonly [name: string]: unknown;
}

/** Where a route's options are written: `curtainwall.config.ts:61`, by option; under the route's own key, where it begins. */
export type RouteLines = ReadonlyMap<string, string>;

/**
 * Finds where the options of a route are written: in an object under its key, or in a call of `route()` with it. What is put together
 * otherwise is not found.
 *
 * @param files the contract and what it imports; of several places the first counts
 * @param root what the files are named relative to
 */
export function routeLines(key: string, files: readonly string[], root: string): RouteLines {
  for (const file of files) {
    const lines = linesIn(key, file, relative(root, file));
    if (lines !== undefined) return lines;
  }
  return new Map();
}

function linesIn(key: string, file: string, name: string): RouteLines | undefined {
  const program = read(file);
  for (const node of program === undefined ? [] : nodesOf(program)) {
    const options = optionsUnder(key, node);
    if (options === undefined) continue;
    const place = (part: Syntax): string => `${name}:${part.loc?.start.line ?? 1}`;
    const members = (options["properties"] as readonly Syntax[] | undefined) ?? [];
    return new Map([
      [key, place(node)],
      ...members.flatMap((member): [string, string][] => {
        const option = nameOf(member["key"]);
        return option === undefined ? [] : [[option, place(member)]];
      }),
    ]);
  }
  return undefined;
}

/** What Node reads and this parser does not is searched for nothing. */
function read(file: string): Syntax | undefined {
  try {
    const { program } = parse(readFileSync(file, "utf8"), {
      sourceType: "module",
      plugins: file.endsWith("ts") ? ["typescript"] : [],
    });
    return isSyntax(program) ? program : undefined;
  } catch {
    return undefined;
  }
}

/** The object with the options, if this is where a route is declared. */
function optionsUnder(key: string, node: Syntax): Syntax | undefined {
  if (node.type === "ObjectProperty") {
    const value = node["value"] as Syntax;
    return nameOf(node["key"]) === key && value.type === "ObjectExpression" ? value : undefined;
  }
  if (node.type !== "CallExpression") return undefined;
  const [first, second] = node["arguments"] as readonly (Syntax | undefined)[];
  return nameOf(first) === key && second?.type === "ObjectExpression" ? second : undefined;
}

function nameOf(node: unknown): string | undefined {
  if (!isSyntax(node)) return undefined;
  if (node.type === "Identifier") return String(node["name"]);
  return node.type === "StringLiteral" ? String(node["value"]) : undefined;
}

function* nodesOf(root: Syntax): Generator<Syntax> {
  const pending: unknown[] = [root];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (Array.isArray(next)) pending.push(...(next as unknown[]).toReversed());
    if (!isSyntax(next)) continue;
    yield next;
    const inner = Object.entries(next).filter(([name]) => name !== "loc");
    pending.push(...inner.map(([, value]) => value ?? null).toReversed());
  }
}

const isSyntax = (value: unknown): value is Syntax =>
  typeof value === "object" && value !== null && "type" in value && typeof value.type === "string";
