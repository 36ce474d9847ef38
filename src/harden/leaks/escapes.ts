import { gap, stretchAt } from "./derived.ts";
import type { Derived, Stretch } from "./derived.ts";
import { escapeStarts, escapeUnit, hexValue, noCharacter, readEscape } from "./read-escape.ts";
import { base64Values, shortestLine } from "./runs.ts";
import type { LeakEncoding } from "./types.ts";

/** What {@link decodeEscapes} needs to know. */
export interface EscapeOptions {
  /** By byte: whether it can be a part of what is looked for. An escape of another one changes nothing. */
  readonly relevant: Uint8Array;
  /** How many bytes around an escape are decoded with it: the longest thing looked for. */
  readonly reach: number;
  /** Reads `\41 ` as CSS does, not as JavaScript. */
  readonly css: boolean;
}

/**
 * Decodes the stretches of a text in which escapes hide what may be looked for: `%41`, `\u0041`, `\x41`, `\101`, `&#65;`, `&num;`, all
 * kinds at once, since texts mix them. Undefined if there are none, as in most files.
 */
export function decodeEscapes(source: Uint8Array, options: EscapeOptions): Derived | undefined {
  const windows = findWindows(source, options);
  if (windows.length === 0) return undefined;
  const size = windows.reduce((sum, { from, to }) => sum + to - from + gap, 0);
  const bytes = new Uint8Array(size);
  const stretches: Stretch[] = [];
  let at = 0;
  for (const { from, to } of windows) {
    stretches.push({ from, to, at });
    at = decode(source, from, to, options.css, bytes, at) + gap;
  }
  const toSource = (index: number): number => {
    const stretch = stretchAt(stretches, index);
    return stretch === undefined ? 0 : walk(source, stretch, index, options.css);
  };
  return {
    bytes: bytes.subarray(0, at),
    toSource,
    starts: [],
    encodings: (from, to) => kindsIn(source.subarray(toSource(from), toSource(to)), options.css),
  };
}

interface Window {
  readonly from: number;
  to: number;
}

function findWindows(source: Uint8Array, { relevant, reach, css }: EscapeOptions): Window[] {
  const windows: Window[] = [];
  let last: Window | undefined;
  // Searching for one byte runs in native code; most files have few of the three.
  const next = escapeBytes.map((byte) => source.indexOf(byte));
  for (;;) {
    const which = earliest(next);
    const at = next[which]!;
    if (at < 0) return windows;
    const escape = which === reference && isEverywhere(source, at) ? 0 : readEscape(source, at, css);
    const length = Math.max(1, escape % escapeUnit);
    if (escape !== 0 && matters(source, at, (escape - length) / escapeUnit, length, relevant)) {
      const from = Math.max(0, at - reach);
      const to = Math.min(source.length, at + length + reach);
      if (last !== undefined && from <= last.to) last.to = to;
      else windows.push((last = { from, to }));
    }
    for (let index = 0; index < next.length; index++)
      if (next[index]! >= 0 && next[index]! < at + length)
        next[index] = source.indexOf(escapeBytes[index]!, at + length);
  }
}

const escapeBytes = [0x25, 0x26, 0x5c];
/** Where `&` stands among them. */
const reference = 1;

/** Which place comes first; -1 is no place. */
function earliest(places: readonly number[]): number {
  let first = 0;
  for (let index = 1; index < places.length; index++)
    if (places[index]! >= 0 && (places[first]! < 0 || places[index]! < places[first]!)) first = index;
  return first;
}

/** `&lt;`, `&gt;`, `&quot;` and `&nbsp;` fill pages of code, and none of them is a part of a token. */
function isEverywhere(source: Uint8Array, at: number): boolean {
  const first = source[at + 1];
  const second = source[at + 2];
  if (second === 0x74) return (first === 0x6c || first === 0x67) && source[at + 3] === 0x3b;
  return (first === 0x71 && second === 0x75) || (first === 0x6e && second === 0x62);
}

/** Whether decoding an escape can bring something to light. */
function matters(
  source: Uint8Array,
  at: number,
  code: number,
  length: number,
  relevant: Uint8Array,
): boolean {
  const next = source[at + length];
  if (code === noCharacter) return relevant[source[at - 1] ?? 0x20] === 1 && relevant[next ?? 0x20] === 1;
  if (code >= 0x80) return relevant[0x80] === 1;
  // An escaped escape: what follows must complete it.
  if (code === 0x5c && (next === 0x75 || next === 0x78 || hexValue(next) >= 0)) return true;
  if (code === 0x25 && hexValue(next) >= 0 && hexValue(source[at + length + 1]) >= 0) return true;
  if (code === 0x26 && (next === 0x23 || endsSoon(source, at + length))) return true;
  if (code === 0x0a || code === 0x0d) return endsBase64Line(source, at);
  // `\d` and `\w` in patterns: nobody writes a letter so.
  if (length === 2 && (code | 0x20) >= 0x61 && (code | 0x20) <= 0x7a) return false;
  return relevant[code] === 1;
}

/** Whether a name and a semicolon follow, as in `&amp;amp;`. */
function endsSoon(source: Uint8Array, at: number): boolean {
  for (let index = at; index < at + 17; index++) {
    const byte = source[index] ?? 0;
    if (byte === 0x3b) return index > at;
    if ((byte | 0x20) < 0x61 || (byte | 0x20) > 0x7a) return false;
  }
  return false;
}

function endsBase64Line(source: Uint8Array, at: number): boolean {
  if (at < shortestLine) return false;
  for (let index = at - 1; index >= at - shortestLine; index--)
    if (base64Values[source[index]!]! < 0) return false;
  return true;
}

/** Writes the decoded window at `at` of `target`; returns where it ends. Decoded text is never longer than its source. */
function decode(
  source: Uint8Array,
  from: number,
  to: number,
  css: boolean,
  target: Uint8Array,
  at: number,
): number {
  let end = at;
  for (let index = from; index < to;) {
    const byte = source[index]!;
    const escape = escapeStarts[byte] === 0 ? 0 : readEscape(source, index, css);
    if (escape === 0 || index + (escape % escapeUnit) > to) {
      target[end++] = byte;
      index++;
      continue;
    }
    const length = escape % escapeUnit;
    end = writeCharacter(target, end, (escape - length) / escapeUnit, byte === 0x25 && length === 3);
    index += length;
  }
  return end;
}

/** Writes a character as UTF-8; what a percent sign escapes is a byte already. */
function writeCharacter(target: Uint8Array, at: number, code: number, isByte: boolean): number {
  if (code === noCharacter) return at;
  if (code < 0x80 || isByte) {
    target[at] = code;
    return at + 1;
  }
  if (code < 0x800) {
    target[at] = 0xc0 | (code >> 6);
    target[at + 1] = 0x80 | (code & 63);
    return at + 2;
  }
  if (code < 0x10000) {
    target[at] = 0xe0 | (code >> 12);
    target[at + 1] = 0x80 | ((code >> 6) & 63);
    target[at + 2] = 0x80 | (code & 63);
    return at + 3;
  }
  target[at] = 0xf0 | (code >> 18);
  target[at + 1] = 0x80 | ((code >> 12) & 63);
  target[at + 2] = 0x80 | ((code >> 6) & 63);
  target[at + 3] = 0x80 | (code & 63);
  return at + 4;
}

/** Decodes a stretch again, up to one byte: only what was found needs its place. */
function walk(source: Uint8Array, { from, to, at }: Stretch, index: number, css: boolean): number {
  const scratch = new Uint8Array(4);
  let end = at;
  let position = from;
  while (position < to) {
    const byte = source[position]!;
    const escape = escapeStarts[byte] === 0 ? 0 : readEscape(source, position, css);
    const isEscape = escape !== 0 && position + (escape % escapeUnit) <= to;
    const length = isEscape ? escape % escapeUnit : 1;
    const written = isEscape
      ? writeCharacter(scratch, 0, (escape - length) / escapeUnit, byte === 0x25 && length === 3)
      : 1;
    if (end + written > index) return position;
    end += written;
    position += length;
  }
  return to;
}

function kindsIn(slice: Uint8Array, css: boolean): LeakEncoding[] {
  const kinds: LeakEncoding[] = [];
  for (let at = 0; at < slice.length; at++) {
    if (escapeStarts[slice[at]!] === 0 || readEscape(slice, at, css) === 0) continue;
    const kind = slice[at] === 0x25 ? "url" : slice[at] === 0x26 ? "html" : css ? "css" : "json";
    if (!kinds.includes(kind)) kinds.push(kind);
  }
  return kinds;
}
