/** What an instruction is encoded as, and what stands behind it. */
type Operand = "none" | "memory" | "i32" | "i64" | "local" | "label";

/** The instructions that our programs use: https://webassembly.github.io/spec/core/appendix/index-instructions.html */
const instructions: Readonly<Record<string, readonly [Operand, ...number[]]>> = {
  "i32.add": ["none", 0x6a],
  "i32.and": ["none", 0x71],
  "i32.const": ["i32", 0x41],
  "i32.ctz": ["none", 0x68],
  "i32.eq": ["none", 0x46],
  "i32.eqz": ["none", 0x45],
  "i32.ge_u": ["none", 0x4f],
  "i32.gt_u": ["none", 0x4b],
  "i32.le_u": ["none", 0x4d],
  "i32.load8_u": ["memory", 0x2d],
  "i32.ne": ["none", 0x47],
  "i32.or": ["none", 0x72],
  "i32.shl": ["none", 0x74],
  "i32.shr_u": ["none", 0x76],
  "i32.sub": ["none", 0x6b],
  "i32.wrap_i64": ["none", 0xa7],
  "i64.and": ["none", 0x83],
  "i64.const": ["i64", 0x42],
  "i64.eq": ["none", 0x51],
  "i64.extend_i32_u": ["none", 0xad],
  "i64.load": ["memory", 0x29],
  "i64.mul": ["none", 0x7e],
  "i64.ne": ["none", 0x52],
  "i64.or": ["none", 0x84],
  "i64.shr_u": ["none", 0x88],
  "i8x16.bitmask": ["none", 0xfd, 0x64],
  "i8x16.eq": ["none", 0xfd, 0x23],
  "i8x16.le_u": ["none", 0xfd, 0x2a],
  "i8x16.splat": ["none", 0xfd, 0x0f],
  "local.get": ["local", 0x20],
  "local.set": ["local", 0x21],
  "local.tee": ["local", 0x22],
  "v128.load": ["memory", 0xfd, 0x00],
  "v128.or": ["none", 0xfd, 0x50],
  br: ["label", 0x0c],
  br_if: ["label", 0x0d],
  return: ["none", 0x0f],
};

const types: Readonly<Record<string, number>> = { i32: 0x7f, i64: 0x7e, v128: 0x7b };
/** What a module starts with. */
const magic = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
const noResult = 0x40;
const end = 0x0b;

/** A word, or a list of them in parentheses. */
type Expression = string | readonly Expression[];

/** What names mean where an expression stands. */
interface Scope {
  readonly locals: readonly string[];
  /** Of what can be left or repeated, the innermost last. */
  readonly labels: readonly string[];
}

/**
 * Makes a WebAssembly module of one function, `run`, and one memory, `memory`, from its text: a small part of the standard's own
 * format, with folded expressions alone.
 *
 * @param memoryPages how much memory it has, in pages of 64 KiB; it doesn't grow
 * @see https://webassembly.github.io/spec/core/text/index.html, https://webassembly.github.io/spec/core/binary/index.html
 */
export function assemble(text: string, memoryPages: number): Uint8Array<ArrayBuffer> {
  const [, ...fields] = listOf(parse(text));
  const named = (kind: string): { name: string; type: number }[] =>
    fields
      .map(listOf)
      .flatMap(([head, name, type]) =>
        head === kind && name !== undefined
          ? [{ name: wordOf(name), type: known(types, wordOf(type ?? "")) }]
          : [],
      );
  const [parameters, locals] = [named("param"), named("local")];
  const scope = { locals: [...parameters, ...locals].map(({ name }) => name), labels: [] };
  const body = fields
    .filter((field) => !["param", "local", "result"].includes(wordOf(listOf(field)[0] ?? "")))
    .flatMap((field) => encode(field, scope));
  const declared = vector(locals.map(({ type }) => [1, type]));
  const code = [...declared, ...body, end];
  return new Uint8Array([
    ...magic,
    ...section(1, [[0x60, ...vector(parameters.map(({ type }) => [type])), 1, known(types, "i32")]]),
    ...section(3, [[0]]),
    ...section(5, [[1, ...unsigned(memoryPages), ...unsigned(memoryPages)]]),
    ...section(7, [
      [...name("run"), 0x00, 0],
      [...name("memory"), 0x02, 0],
    ]),
    ...section(10, [[...unsigned(code.length), ...code]]),
  ]);
}

function parse(text: string): Expression {
  const open: Expression[][] = [[]];
  for (const word of text.replace(/;;.*/g, "").match(/[()]|[^\s()]+/g) ?? []) {
    if (word === "(") open.push([]);
    else if (word === ")") open.at(-2)?.push(open.pop() ?? []);
    else open.at(-1)?.push(word);
  }
  const [[only] = []] = open;
  if (only === undefined || open.length !== 1) throw new SyntaxError("Parentheses don't match");
  return only;
}

function encode(expression: Expression, scope: Scope): number[] {
  const [head = "", ...rest] = listOf(expression);
  const word = wordOf(head);
  if (word === "block" || word === "loop") return encodeBlock(word, rest, scope);
  if (word === "if") return encodeIf(rest, scope);
  const [operand, ...opcode] = known(instructions, word);
  const direct = rest.find((part) => typeof part === "string");
  const stacked = rest.filter((part) => typeof part !== "string").flatMap((part) => encode(part, scope));
  return [...stacked, ...opcode, ...immediate(operand, direct ?? "", scope)];
}

function encodeBlock(
  word: "block" | "loop",
  [label = "", ...body]: readonly Expression[],
  scope: Scope,
): number[] {
  const inside = { ...scope, labels: [...scope.labels, wordOf(label)] };
  return [word === "block" ? 0x02 : 0x03, noResult, ...body.flatMap((part) => encode(part, inside)), end];
}

/** `(if condition (then …))`, without a label of its own. */
function encodeIf([condition = [], then = []]: readonly Expression[], scope: Scope): number[] {
  const inside = { ...scope, labels: [...scope.labels, ""] };
  const [, ...body] = listOf(then);
  return [...encode(condition, scope), 0x04, noResult, ...body.flatMap((part) => encode(part, inside)), end];
}

function immediate(operand: Operand, word: string, { locals, labels }: Scope): number[] {
  switch (operand) {
    case "none":
      return [];
    case "memory":
      return [0, ...unsigned(Number(word.replace("offset=", "")))];
    case "i32":
      return signed(BigInt.asIntN(32, BigInt(word)));
    case "i64":
      return signed(BigInt.asIntN(64, BigInt(word)));
    case "local":
      return unsigned(placeOf(locals, word));
    case "label":
      return unsigned(labels.length - 1 - placeOf(labels, word));
  }
}

function known<Value>(table: Readonly<Record<string, Value>>, word: string): Value {
  const value = Object.hasOwn(table, word) ? table[word] : undefined;
  if (value === undefined) throw new SyntaxError(`Unknown here: ${word}`);
  return value;
}

function placeOf(names: readonly string[], name: string): number {
  const place = names.lastIndexOf(name);
  if (place === -1) throw new SyntaxError(`Unknown here: ${name}`);
  return place;
}

const listOf = (expression: Expression): readonly Expression[] =>
  typeof expression === "string" ? [expression] : expression;

const wordOf = (expression: Expression): string => (typeof expression === "string" ? expression : "(");

const name = (text: string): number[] => [...unsigned(text.length), ...new TextEncoder().encode(text)];

const vector = (items: readonly (readonly number[])[]): number[] => [
  ...unsigned(items.length),
  ...items.flat(),
];

function section(id: number, items: readonly (readonly number[])[]): number[] {
  const content = vector(items);
  return [id, ...unsigned(content.length), ...content];
}

/** LEB128. */
function unsigned(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}

function signed(value: bigint): number[] {
  const low = Number(value & 0x7fn);
  const rest = value >> 7n;
  const isLast = (rest === 0n && low < 0x40) || (rest === -1n && low >= 0x40);
  return isLast ? [low] : [low | 0x80, ...signed(rest)];
}
