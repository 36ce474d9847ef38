import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { isPure } from "../checks/purity.ts";
import { isNode, nodesOf, parseSource } from "../checks/template-syntax.ts";
import type { Node } from "../checks/template-syntax.ts";

/** Packages whose own code depends on nothing but what it is given. */
const known = /^(?:curtainwall|zod)(?:\/|$)/;

/**
 * The files that a contract is written in: its own, and what it imports from there on. Undefined when it may say something else without any of
 * them changing: it reads a clock or a file, or imports a package that is not known here. Variables of the environment don't count: who
 * asks must watch those.
 */
export function contractSources(file: string): readonly string[] | undefined {
  const found = new Set<string>();
  const pending = [resolve(file)];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (found.has(next)) continue;
    found.add(next);
    const imports = importsOf(next);
    if (imports === undefined) return undefined;
    for (const specifier of imports) {
      if (specifier.startsWith(".")) pending.push(resolve(dirname(next), specifier));
      else if (!known.test(specifier)) return undefined;
    }
  }
  return [...found];
}

/** What a source imports; undefined when it is not only made of that and of itself. */
function importsOf(file: string): string[] | undefined {
  if (file.endsWith(".json")) return [];
  try {
    const program = parseSource(file, readFileSync(file, "utf8"));
    if (!isPure(program, { environment: true })) return undefined;
    return [...nodesOf(program)].flatMap((node) => specifierOf(node) ?? []);
  } catch {
    // What Node reads and this parser does not.
    return undefined;
  }
}

function specifierOf({ type, source, importKind }: Node): string | undefined {
  if (!/^(?:Import|ExportNamed|ExportAll)Declaration$/.test(type) || importKind === "type") return undefined;
  return isNode(source) ? (source.value as string) : undefined;
}
