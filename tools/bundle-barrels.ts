// The bundler shares out files, not names: whoever imports one name of a room's index would load the room, so the bundle's modules import
// what they use from where it is.
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";

const imports = /^import \{([^}]*)\} from "(\.[^"]+)";/gm;
const reexports = /^export \{([^}]*)\} from "(\.[^"]+)";/gm;

/** Rewrites a module's imports: what another re-exports is imported from the module that has it. */
export function pastBarrels(file: string, code: string): string {
  return code.replaceAll(imports, (statement, names: string, specifier: string) => {
    const target = join(dirname(file), specifier);
    if (!existsSync(target)) return statement;
    const byFile = new Map<string, string[]>();
    for (const item of listOf(names)) {
      const [name = "", local = name] = item.split(" as ");
      const origin = originOf(target, name);
      const from = byFile.get(origin.file) ?? [];
      byFile.set(origin.file, [...from, origin.name === local ? local : `${origin.name} as ${local}`]);
    }
    return [...byFile]
      .map(([from, items]) => `import { ${items.join(", ")} } from ${JSON.stringify(addressOf(file, from))};`)
      .join(" ");
  });
}

/** The module that a name comes from, and what it is called there. */
function originOf(file: string, name: string): { file: string; name: string } {
  const found = reexportsOf(file).get(name);
  return found === undefined ? { file, name } : originOf(found.file, found.name);
}

const known = new Map<string, ReadonlyMap<string, { file: string; name: string }>>();

function reexportsOf(file: string): ReadonlyMap<string, { file: string; name: string }> {
  const before = known.get(file);
  if (before !== undefined) return before;
  const found = new Map<string, { file: string; name: string }>();
  known.set(file, found);
  for (const [, names = "", specifier = ""] of readFileSync(file, "utf8").matchAll(reexports))
    for (const item of listOf(names)) {
      const [name = "", outer = name] = item.split(" as ");
      found.set(outer, { file: join(dirname(file), specifier), name });
    }
  return found;
}

/** Names in braces; types are gone when this runs. */
const listOf = (names: string): string[] =>
  names
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "" && !name.startsWith("type "));

function addressOf(from: string, to: string): string {
  const path = relative(dirname(from), to).split(sep).join("/");
  return path.startsWith(".") ? path : `./${path}`;
}
