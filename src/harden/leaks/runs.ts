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
/** A line of base64 at least this long is continued by the next one (RFC 2045: 76; PEM: 64). */
const fullLine = 60;

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

/** A run as long as the shortest covers one of the bytes that are looked at. */
function findRuns(source: Uint8Array, { values, shortest }: Code): { from: number; to: number }[] {
  const runs: { from: number; to: number }[] = [];
  let free = 0;
  for (let at = shortest - 1; at < source.length; at += shortest) {
    if (values[source[at]!]! < 0 || at < free) continue;
    let from = at;
    while (from > free && values[source[from - 1]!]! >= 0) from--;
    const to = endOfRun(source, from, at + 1, values);
    if (to - from >= shortest) runs.push({ from, to });
    free = to;
  }
  return runs;
}

function endOfRun(source: Uint8Array, from: number, at: number, values: Int8Array): number {
  let end = at;
  let lineStart = from;
  for (;;) {
    while (end < source.length && values[source[end]!]! >= 0) end++;
    const next = end + (source[end] === 0x0d && source[end + 1] === 0x0a ? 2 : source[end] === 0x0a ? 1 : 0);
    const continues = next > end && end - lineStart >= fullLine && values[source[next] ?? 0]! >= 0;
    if (!continues) return end;
    lineStart = next;
    end = next;
  }
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
