import type { Header } from "../../contract/index.ts";
import { literal, pieces, quoted } from "./text.ts";

/** Headers that tell about the bytes: a 304 has none of them, and nginx's own error pages bring theirs. */
const bodyHeaders = new Set(["content-type", "content-language"]);

/** Maps from a list's name to its values, and the directives that send them. */
export interface HeaderDirectives {
  readonly maps: readonly string[];
  readonly lines: readonly string[];
}

/**
 * Turns lists of headers, by name, into one `add_header` a header. All stand on one level: nginx drops what a level above
 * says as soon as a level says anything itself. A value that all lists share is written there, others are mapped.
 */
export function headerDirectives(lists: ReadonlyMap<string, readonly Header[]>): HeaderDirectives {
  const names = new Set([...lists.values()].flatMap((list) => list.map(([name]) => name)));
  const maps: string[] = [];
  const lines: string[] = [];
  for (const [at, name] of [...names].sort().entries()) {
    const values = valuesOf(name, lists);
    const shared = sharedValue(values, lists.size);
    if (shared !== undefined && !bodyHeaders.has(name)) {
      lines.push(`add_header ${quoted(name)} ${literal(shared)} always;`);
      continue;
    }
    const mapped = mapValues(`cw_h${at}`, bodyHeaders.has(name) ? "$cw_body" : "$cw_answer", values);
    maps.push(...mapped.maps);
    lines.push(`add_header ${quoted(name)} ${quoted(mapped.variables.join(""))} always;`);
  }
  return { maps, lines };
}

function valuesOf(name: string, lists: ReadonlyMap<string, readonly Header[]>): Map<string, string> {
  const values = new Map<string, string>();
  for (const [list, headers] of lists) {
    const value = headers.find(([other]) => other === name)?.[1];
    if (value !== undefined) values.set(list, value);
  }
  return values;
}

/** The one value, when every list has it and nginx can read it whole. */
function sharedValue(values: ReadonlyMap<string, string>, lists: number): string | undefined {
  const [first, ...others] = new Set(values.values());
  if (first === undefined || others.length > 0 || values.size < lists) return undefined;
  return pieces(first).length === 1 ? first : undefined;
}

/** A value that is too long for one parameter is put together from several. */
function mapValues(
  name: string,
  source: string,
  values: ReadonlyMap<string, string>,
): { maps: string[]; variables: string[] } {
  const cut = new Map([...values].map(([list, value]) => [list, pieces(value)]));
  const count = Math.max(...[...cut.values()].map(({ length }) => length));
  const maps: string[] = [];
  const variables: string[] = [];
  for (let at = 0; at < count; at++) {
    const rows = [...cut].flatMap(([list, parts]) => {
      const part = parts[at];
      return part === undefined ? [] : [`  ${quoted(list)} ${literal(part)};`];
    });
    maps.push([`map ${source} $${name}_${at} {`, `  default "";`, ...rows, "}"].join("\n"));
    variables.push(`\${${name}_${at}}`);
  }
  return { maps, variables };
}
