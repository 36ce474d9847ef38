import { printable } from "../../shared/index.ts";

/** A piece of the contract that is written: text of ours, a named schema, or what may be broken into lines. */
export type Code = string | NamedSchema | Group | readonly Code[];

/** A schema with a name of its own, which is known once all are there. */
export interface NamedSchema {
  readonly kind: "named";
  name: string;
}

/** What stands between brackets, an item a line where it does not fit into one. */
export interface Group {
  readonly kind: "group";
  readonly open: "{" | "[" | "(";
  readonly items: readonly Item[];
}

/** One member of a {@link Group}. */
export interface Item {
  /** What could not be carried over: a comment before it. */
  readonly notes?: readonly string[];
  /** `name: `, quoted where it has to be. */
  readonly name?: string;
  readonly value: Code;
}

const closing = { "{": "}", "[": "]", "(": ")" } as const;

export const group = (open: Group["open"], items: readonly Item[]): Group => ({ kind: "group", open, items });
export const object = (items: readonly Item[]): Group => group("{", items);
export const list = (values: readonly Code[]): Group =>
  group(
    "[",
    values.map((value) => ({ value })),
  );

/** A text of the document as a string literal: nothing in it can end it, break the line, or reorder what is read. */
export const quoted = (text: string): string =>
  JSON.stringify(text).replaceAll(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Variation_Selector}\p{Noncharacter_Code_Point}]/gu,
    (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`,
  );

const plainName = /^[A-Za-z_$][\w$]*$/;

/** The name of a member. */
export const memberName = (name: string): string => (plainName.test(name) ? name : quoted(name));

/** A number literal. */
export const numeral = (value: number): string => String(value === 0 ? 0 : value);

/** What a comment may hold of a document: a line, bounded. */
export const remark = (text: string): string => printable(text, 160).replaceAll(/\s+/g, " ").trim();

/** A line of comment: whatever a note has of the document, it stays one line. */
export const comment = (note: string): string =>
  `// ${printable(note, 300).replaceAll("\ufffd", " ").trim()}`;

const width = 100;

/** Writes code as it would be formatted: two blanks a level, a group in one line where it fits. */
export function print(code: Code, level = 0): string {
  return lay(code, level, level * 2).text;
}

interface Laid {
  readonly text: string;
  /** Where the last line ends. */
  readonly column: number;
}

function lay(code: Code, level: number, column: number): Laid {
  const flat = flatten(code);
  if (flat !== undefined && column + flat.length <= width)
    return { text: flat, column: column + flat.length };
  if (typeof code === "string") return { text: code, column: column + code.length };
  if (!isGroup(code)) {
    if (!Array.isArray(code)) return lay((code as NamedSchema).name, level, column);
    let laid: Laid = { text: "", column };
    for (const part of code as readonly Code[]) {
      const next = lay(part, level, laid.column);
      laid = { text: laid.text + next.text, column: next.column };
    }
    return laid;
  }
  const indent = "  ".repeat(level + 1);
  const lines = code.items.flatMap(({ notes = [], name, value }) => {
    const start = indent + (name === undefined ? "" : `${name}: `);
    return [
      ...notes.map((note) => indent + comment(note)),
      `${start}${lay(value, level + 1, start.length).text},`,
    ];
  });
  const end = `${"  ".repeat(level)}${closing[code.open]}`;
  return { text: [code.open, ...lines, end].join("\n"), column: end.length };
}

const isGroup = (code: Code): code is Group =>
  typeof code === "object" && "kind" in code && code.kind === "group";

const flats = new WeakMap<object, string | false>();

/** In one line; undefined where a comment forbids it, or it could not fit anyway. */
function flatten(code: Code): string | undefined {
  if (typeof code === "string") return code;
  if ("kind" in code && code.kind === "named") return code.name;
  const known = flats.get(code);
  if (known !== undefined) return known === false ? undefined : known;
  const flat = isGroup(code) ? flattenGroup(code) : join(code, "");
  flats.set(code, flat ?? false);
  return flat;
}

function flattenGroup({ open, items }: Group): string | undefined {
  if (items.some(({ notes = [] }) => notes.length > 0)) return undefined;
  const inner = join(
    items.map(({ name, value }): Code => (name === undefined ? value : [`${name}: `, value])),
    ", ",
  );
  if (inner === undefined) return undefined;
  const space = open === "{" && inner !== "" ? " " : "";
  return `${open}${space}${inner}${space}${closing[open]}`;
}

function join(parts: readonly Code[], separator: string): string | undefined {
  const texts: string[] = [];
  let length = 0;
  for (const part of parts) {
    const text = flatten(part);
    length += text?.length ?? width;
    // Longer ones are never wanted.
    if (text === undefined || length > 4 * width) return undefined;
    texts.push(text);
  }
  return texts.join(separator);
}

/** Calls `visit` for each named schema that a piece of code mentions. */
export function namesIn(code: Code, visit: (named: NamedSchema) => void): void {
  if (typeof code === "string") return;
  if ("kind" in code && code.kind === "named") visit(code);
  else if (isGroup(code)) for (const { value } of code.items) namesIn(value, visit);
  else for (const part of code) namesIn(part, visit);
}

/** All that a piece of code says, on no lines: to be compared. */
export function plainText(code: Code): string {
  if (typeof code === "string") return code;
  if ("kind" in code && code.kind === "named") return `<${code.name}>`;
  if (isGroup(code))
    return `${code.open}${code.items.map(({ notes = [], name = "", value }) => `${notes.join("\n")}${name}:${plainText(value)}`).join(",")}${closing[code.open]}`;
  return code.map(plainText).join("");
}
