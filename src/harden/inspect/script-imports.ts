import { maxParsedLength, parseScript, textOf, walkSyntax } from "./script-syntax.ts";

/** One import of a script. */
export interface ImportFact {
  /** As written; undefined for a dynamic one whose address is computed. */
  readonly specifier: string | undefined;
  readonly dynamic: boolean;
}

const statements = new Set(["ImportDeclaration", "ExportNamedDeclaration", "ExportAllDeclaration"]);

/** A word in a text or a table of words is no import. */
const signs = /\bimport\s*[("']|\b(?:import|export)\b[^"'();]{0,2000}?\bfrom\s*["']/;

/** Finds what a script imports; nothing for one that does not parse, which no browser runs either. */
export function findImports(source: string, asModule: boolean): readonly ImportFact[] {
  if (!signs.test(source)) return [];
  if (source.length > maxParsedLength) return [{ specifier: undefined, dynamic: true }];
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
