import { gap, stretchAt } from "./derived.ts";
import type { Derived, Stretch } from "./derived.ts";
import { hexValue } from "./read-escape.ts";

/** Six bits for each base64 digit, of either alphabet (RFC 4648 §4, §5); -1 for other bytes. */
export const base64Values: Int8Array = digits((byte) => {
  if (byte >= 0x41 && byte <= 0x5a) return byte - 0x41;
  if (byte >= 0x61 && byte <= 0x7a) return byte - 0x61 + 26;
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30 + 52;
  if (byte === 0x2b || byte === 0x2d) return 62;
  return byte === 0x2f || byte === 0x5f ? 63 : -1;
});

const hexValues: Int8Array = digits(hexValue);

function digits(value: (byte: number) => number): Int8Array {
  return Int8Array.from({ length: 256 }, (_, byte) => value(byte));
}

/** Shorter ones hold nothing that the matcher's own base64 forms don't find. */
const shortestBase64 = 32;
const shortestHex = 32;
/** A line of digits at least this long is continued by the next one, if that is no longer. */
export const shortestLine = 16;
/** Indents of lines are passed over up to here. */
const widestIndent = 64;

/** Decodes every run of base64 in a text; what is no base64 gives rubbish, in which nothing is found. */
export function decodeBase64Runs(source: Uint8Array): Derived | undefined {
  return decodeRuns(source, { name: "base64", values: base64Values, shortest: shortestBase64, bits: 6 });
}

/** Decodes every run of hexadecimal digits in a text. */
export function decodeHexRuns(source: Uint8Array): Derived | undefined {
  return decodeRuns(source, { name: "hex", values: hexValues, shortest: shortestHex, bits: 4 });
}

interface Code {
  readonly name: "base64" | "hex";
  readonly values: Int8Array;
  readonly shortest: number;
  readonly bits: number;
}

function decodeRuns(source: Uint8Array, code: Code): Derived | undefined {
  const runs = findRuns(source, code);
  if (runs.length === 0) return undefined;
  const size = runs.reduce((sum, { from, to }) => sum + Math.ceil(((to - from) * code.bits) / 8) + gap, 0);
  const bytes = new Uint8Array(size);
  const stretches: Stretch[] = [];
  let at = 0;
  for (const { from, to } of runs) {
    stretches.push({ from, to, at });
    at = decodeRun(source, from, to, code, bytes, at) + gap;
  }
  return {
    bytes: bytes.subarray(0, at),
    toSource: (index) => {
      const stretch = stretchAt(stretches, index);
      return stretch === undefined ? 0 : walk(source, stretch, index, code);
    },
    encodings: () => [code.name],
    starts: stretches.map((stretch) => stretch.at),
  };
}

/** A run as long as the shortest covers one of the bytes that are looked at, or a line end in it does. */
function findRuns(source: Uint8Array, { values, shortest }: Code): { from: number; to: number }[] {
  const runs: { from: number; to: number }[] = [];
  let free = 0;
  for (let sample = shortest - 1; sample < source.length; sample += shortest) {
    let at = sample;
    if (values[source[sample]!]! < 0) {
      // The line before a line's end may be a part of one.
      if (source[sample] !== 0x0a) continue;
      at = lineBefore(source, sample + 1, values) - 1;
    }
    if (at < free) continue;
    let from = startOfLine(source, at, free, values);
    let to = endOfLine(source, at + 1, values);
    if (source[from - 1] === 0x0a || (to - from >= shortestLine && isLineEnd(source[to])))
      [from, to] = joinLines(source, from, to, free, values);
    if (to - from >= shortest) runs.push({ from, to });
    free = to;
  }
  return runs;
}

const isIndent = (byte: number | undefined): boolean => byte === 0x20 || byte === 0x09;
const isLineEnd = (byte: number | undefined): boolean => byte === 0x0a || byte === 0x0d;

/** The run that a line is a part of. */
function joinLines(
  source: Uint8Array,
  line: number,
  lineEnd: number,
  free: number,
  values: Int8Array,
): [from: number, to: number] {
  const from = startOfRun(source, line, free, values);
  const to = endOfRun(source, from, values);
  if (from === line || to >= lineEnd) return [from, to];
  // Lines of other lengths stand before it.
  return [line, endOfRun(source, line, values)];
}

function startOfLine(source: Uint8Array, at: number, free: number, values: Int8Array): number {
  let from = at;
  while (from > free && values[source[from - 1]!]! >= 0) from--;
  return from;
}

/** The first of the lines that end with this one. */
function startOfRun(source: Uint8Array, line: number, free: number, values: Int8Array): number {
  let from = line;
  for (;;) {
    const end = lineBefore(source, from, values);
    if (end <= free) return from;
    const start = startOfLine(source, end, free, values);
    if (end - start < shortestLine) return from;
    from = start;
  }
}

/** Where the digits of the line before end, if nothing but an indent and the line's end stand between; else -1. */
function lineBefore(source: Uint8Array, at: number, values: Int8Array): number {
  let line = at;
  while (line > at - widestIndent && isIndent(source[line - 1])) line--;
  let end = line;
  if (source[end - 1] === 0x0a) end--;
  if (source[end - 1] === 0x0d) end--;
  return end < line && end > 0 && values[source[end - 1]!]! >= 0 ? end : -1;
}

/** Where the next line's digits begin, after the line's end and an indent; else -1. */
function lineAfter(source: Uint8Array, end: number, values: Int8Array): number {
  let at = end;
  if (source[at] === 0x0d) at++;
  if (source[at] === 0x0a) at++;
  if (at === end) return -1;
  for (let width = 0; width < widestIndent && isIndent(source[at]); width++) at++;
  return at < source.length && values[source[at]!]! >= 0 ? at : -1;
}

/** Lines of one length, and a last one that may be shorter. */
function endOfRun(source: Uint8Array, from: number, values: Int8Array): number {
  let end = endOfLine(source, from, values);
  let length = end - from;
  let isLast = false;
  while (length >= shortestLine && !isLast) {
    const next = lineAfter(source, end, values);
    if (next < 0) return end;
    const after = endOfLine(source, next, values);
    if (after - next > length) return end;
    isLast = after - next < length;
    length = after - next;
    end = after;
  }
  return end;
}

function endOfLine(source: Uint8Array, from: number, values: Int8Array): number {
  let end = from;
  while (end < source.length && values[source[end]!]! >= 0) end++;
  return end;
}

function decodeRun(
  source: Uint8Array,
  from: number,
  to: number,
  { values, bits }: Code,
  target: Uint8Array,
  at: number,
): number {
  let end = at;
  let held = 0;
  let count = 0;
  for (let index = from; index < to; index++) {
    const value = values[source[index]!]!;
    if (value < 0) continue;
    held = ((held << bits) | value) & 0xffff;
    count += bits;
    if (count >= 8) {
      count -= 8;
      target[end++] = (held >> count) & 0xff;
    }
  }
  return end;
}

function walk(source: Uint8Array, { from, to, at }: Stretch, index: number, { values, bits }: Code): number {
  let digit = Math.floor(((index - at) * 8) / bits);
  for (let position = from; position < to; position++) {
    if (values[source[position]!]! < 0) continue;
    if (digit === 0) return position;
    digit--;
  }
  return to;
}
