import { parseScript, textOf, walkSyntax } from "./script-syntax.ts";

/** One import of a script. */
export interface ImportFact {
  /** As written; undefined for a dynamic one whose address is computed. */
  readonly specifier: string | undefined;
  readonly dynamic: boolean;
}

const statements = new Set(["ImportDeclaration", "ExportNamedDeclaration", "ExportAllDeclaration"]);

/** Finds what a script imports; nothing for one that does not parse, which no browser runs either. */
export function findImports(source: string, asModule: boolean): readonly ImportFact[] {
  const program = parseScript(source, asModule);
  if (program === undefined) return [];
  const found: ImportFact[] = [];
  walkSyntax(program, (node) => {
    if (statements.has(node.type)) {
      const specifier = textOf(node["source"]);
      if (specifier !== undefined) found.push({ specifier: specifier.text, dynamic: false });
    } else if (node.type === "ImportExpression") {
      const specifier = textOf(node["source"]);
      found.push({ specifier: specifier?.whole === true ? specifier.text : undefined, dynamic: true });
    }
  });
  return found;
}
