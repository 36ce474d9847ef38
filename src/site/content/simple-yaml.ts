/**
 * Reads front matter that is a list of `name: value` lines whose values are plain words, numbers, days, true, false or text in double quotes
 * without escapes: most of what is written. Undefined for anything else, which is then YAML's to read and to complain about.
 * What it reads it reads as YAML 1.2's core schema does, which a test compares.
 */
export function readSimpleYaml(source: string): Record<string, unknown> | undefined {
  const fields: Record<string, unknown> = {};
  for (const line of source.split("\n")) {
    if (line === "") continue;
    const [, name, written] = /^([A-Za-z][\w-]*): +(\S.*?) *$/.exec(line) ?? [];
    if (name === undefined || written === undefined || Object.hasOwn(fields, name) || name in fields)
      return undefined;
    const value = readValue(written);
    if (value === undefined) return undefined;
    fields[name] = value;
  }
  return fields;
}

const words: ReadonlySet<string> = new Set(["null", "true", "false"]);

function readValue(written: string): string | number | boolean | undefined {
  const quoted = /^"([^"\\\t]*)"$/.exec(written)?.[1];
  if (quoted !== undefined) return isPrintable(quoted) ? quoted : undefined;
  if (/^(?:0|[1-9]\d{0,14})$/.test(written)) return Number(written);
  if (/^\d{4}-\d\d-\d\d$/.test(written)) return written;
  if (written === "true") return true;
  if (written === "false") return false;
  // A plain scalar: begins with a letter, has none of the marks that mean something, and is no word for nothing, yes or no.
  if (!/^[A-Za-z][^:#"\\\t{}[\]&*!|>%@`]*$/.test(written) || words.has(written.toLowerCase()))
    return undefined;
  return isPrintable(written) ? written : undefined;
}

/** No control characters, of which YAML has opinions, and no line breaks of Unicode's. */
const isPrintable = (text: string): boolean => !/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\uFEFF]/u.test(text);
