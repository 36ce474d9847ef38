import { isNode, maxParsedLength, parseScript } from "../inspect/script-syntax.ts";
import type { SyntaxNode } from "../inspect/script-syntax.ts";
import { findHoles } from "./holes.ts";
import { stableSpecifier } from "./stable-specifier.ts";
import type { ScriptKind } from "./types.ts";

/** What of a script must stay the same for it to be the one that was approved. */
export interface Skeleton {
  /** Equal for two scripts exactly if they are the same code, with other data. */
  readonly text: string;
  /** Where in the source its data stands, in order. */
  readonly holes: readonly { readonly from: number; readonly to: number }[];
}

/**
 * Reduces a script to its code: white space, comments and the way a text or number is written are gone, and data is a hole. What can't be
 * read as a script stays as it is, letter by letter.
 */
export function skeletonOf(source: string, kind: ScriptKind): Skeleton {
  if (kind === "importmap" || kind === "speculationrules") return { text: canonicalJson(source), holes: [] };
  if (source.length > maxParsedLength) return exact(source);
  const program = parseScript(wrapped(source, kind), kind === "module");
  if (program === undefined) return exact(source);
  const holes = mayHoldData(kind) ? findHoles(program, source) : new Set<SyntaxNode>();
  const other = kind === "file" ? otherReading(program, source) : "";
  return {
    text: `syntax\n${serialize(program, holes)}${other}`,
    holes: [...holes]
      .map((node) => ({ from: Number(node["start"]), to: Number(node["end"]) }))
      .sort((left, right) => left.from - right.from),
  };
}

/**
 * A file says nowhere whether it is a module. Where that decides what is a comment (`<!--`, `-->`) and what `await` is, both readings
 * count: else code could hide in what is a comment in one of them.
 */
function otherReading(program: SyntaxNode, source: string): string {
  if (program["sourceType"] === "module" || !/<!--|-->|\bawait\b/.test(source)) return "";
  const module = parseScript(source, true);
  return module === undefined ? "" : `\n${serialize(module, findHoles(module, source))}`;
}

const exact = (source: string): Skeleton => ({ text: `text\n${source}`, holes: [] });

/** Handlers and addresses are short, and nobody generates data into them. */
const mayHoldData = (kind: ScriptKind): boolean => kind === "inline" || kind === "module" || kind === "file";

/** A handler is the body of a function (HTML §8.1.8.1). */
function wrapped(source: string, kind: ScriptKind): string {
  return kind === "handler" ? `(function(event){\n${source}\n})` : source;
}

/** White space and the hashes of modules aside, every letter counts: an import map decides which code runs. */
function canonicalJson(source: string): string {
  try {
    const value: unknown = JSON.parse(source);
    if (typeof value === "object" && value !== null && "integrity" in value) delete value.integrity;
    return `json\n${JSON.stringify(sorted(value))}`;
  } catch {
    return `text\n${source}`;
  }
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value === "string") return stableSpecifier(value);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([key, member]) => [key, sorted(member)] as const);
  return Object.fromEntries(entries.sort(([left], [right]) => (left < right ? -1 : 1)));
}

/** Members of a node that say where and how it was written, and not what it is. */
const outward = new Set([
  "type",
  "start",
  "end",
  "loc",
  "range",
  "extra",
  "errors",
  "comments",
  "leadingComments",
  "innerComments",
  "trailingComments",
]);

/** Writes a tree so that two texts are equal exactly if the trees are. Without recursion: scripts nest deeply. */
function serialize(root: SyntaxNode, holes: ReadonlySet<SyntaxNode>): string {
  let text = "";
  /** What is still to be written, last first: texts as they are, values in an object of their own. */
  const open: (string | { value: unknown })[] = [{ value: root }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (typeof next === "string") text += next;
    else if (Array.isArray(next.value)) pushList(open, next.value);
    else if (typeof next.value === "bigint") text += `${next.value}n`;
    else if (typeof next.value !== "object" || next.value === null) text += JSON.stringify(next.value) ?? "~";
    else if (isNode(next.value) && holes.has(next.value)) text += "?";
    else pushMembers(open, next.value as Record<string, unknown>);
  }
  return text;
}

type Open = (string | { value: unknown })[];

function pushList(open: Open, values: readonly unknown[]): void {
  open.push("]");
  for (let index = values.length - 1; index >= 0; index--) open.push(",", { value: values[index] });
  open.push("[");
}

function pushMembers(open: Open, node: Record<string, unknown>): void {
  const type = typeof node["type"] === "string" ? node["type"] : "";
  const keys = Object.keys(node).filter((key) => !outward.has(key) && node[key] !== undefined);
  open.push("}");
  for (const key of keys.sort().toReversed()) {
    const value = key === "source" && namesModule(type) ? withStableSpecifier(node[key]) : node[key];
    open.push(",", { value }, `${key}:`);
  }
  open.push(`${type}{`);
}

const namesModule = (type: string): boolean =>
  type === "ImportExpression" || type === "ImportDeclaration" || type.startsWith("Export");

/** A module's name changes with its bytes, but that module is in the lock itself. */
function withStableSpecifier(source: unknown): unknown {
  if (!isNode(source) || source.type !== "StringLiteral") return source;
  return { type: "StringLiteral", value: stableSpecifier(String(source["value"])) };
}
