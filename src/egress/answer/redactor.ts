import { createAutomaton } from "./automaton.ts";
import type { Automaton } from "./automaton.ts";

/** Takes plain echoes of values out of a body that comes in parts. */
export interface Redactor {
  /** What may be passed on of what came so far. */
  push(chunk: Uint8Array): Uint8Array;
  /** The rest. */
  end(): Uint8Array;
}

const encoder = new TextEncoder();
const mask = "[redacted]";
const maskBytes = encoder.encode(mask);
/** A shorter text stands in answers by chance. */
const shortest = 6;

/** The ways in which a service writes down what it was sent: as it is, in a URL, in a form, in JSON, in HTML. */
export function spellings(values: readonly string[]): readonly string[] {
  const all = values.flatMap((value) =>
    value.length < shortest
      ? []
      : [value, ...inUrls(value.toWellFormed()), ...inJson(value), ...inHtml(value)],
  );
  // The longest first, so that none is hidden behind its own beginning.
  return [...new Set(all)].sort((one, other) => other.length - one.length);
}

/** Encoders differ in which signs they leave, and in the letters of their escapes. */
function inUrls(value: string): string[] {
  const least = encodeURIComponent(value);
  const most = least.replace(/[!'()*~]/g, (sign) => `%${hexOf(sign, 2).toUpperCase()}`);
  const form = new URLSearchParams({ "": value }).toString().slice(1);
  const given = [least, most, form, least.replaceAll("%20", "+")];
  return [...given, ...given.map((text) => text.replace(/%../g, (escape) => escape.toLowerCase()))];
}

/** Some write `\/`, some nothing but ASCII, some no sign that HTML has a use for, and some no "+". */
function inJson(value: string): string[] {
  const plain = JSON.stringify(value).slice(1, -1);
  const escaped = (text: string, signs: RegExp): string[] => {
    const lower = text.replace(signs, (sign) => `\\u${hexOf(sign, 4)}`);
    return [lower, lower.replace(/\\u..../g, (escape) => `\\u${escape.slice(2).toUpperCase()}`)];
  };
  const slashed = plain.replaceAll("/", "\\/");
  return [
    plain,
    slashed,
    ...escaped(plain, beyondAscii),
    ...escaped(slashed, beyondAscii),
    ...escaped(plain, /[<>&]/g),
    ...escaped(plain.replaceAll('\\"', '"'), /["<>&'+`\u007f-\uffff]/g),
  ];
}

function inHtml(value: string): string[] {
  const signs = value.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  const named = signs.replaceAll('"', "&quot;");
  return [
    named,
    named.replaceAll("'", "&#39;"),
    named.replaceAll("'", "&#x27;"),
    signs.replaceAll('"', "&#34;").replaceAll("'", "&#39;"),
  ];
}

const beyondAscii = /[\u007f-\uffff]/g;
const hexOf = (sign: string, digits: number): string => sign.charCodeAt(0).toString(16).padStart(digits, "0");

/** What must not come back, and what finds it. */
export interface Echoes {
  /** Takes them out of a text. */
  cleanse(text: string): string;
  /** Takes them out of a body. */
  openRedactor(): Redactor;
  /** Whether one stands in a text, whatever the case of its letters. */
  hasFolded(text: string): boolean;
}

/** What was prepared for earlier answers, by value. It has the values in it. */
export type EchoMemory = Map<string, Sought>;

/** One value, as it may come back. */
interface Sought {
  readonly texts: readonly string[];
  readonly automaton: Automaton;
  /** Whether an end of line stands in one of its spellings. */
  readonly hasLines: boolean;
}

/**
 * Prepares to find values in one answer. Undefined: there is nothing to look for.
 *
 * @param memory what the last answer was prepared with, and this one is
 */
export function echoesOf(values: readonly string[], memory: EchoMemory = new Map()): Echoes | undefined {
  const sought = new Map(values.map((value) => [value, memory.get(value) ?? seek(value)]));
  memory.clear();
  for (const [value, one] of sought) memory.set(value, one);
  const all = [...sought.values()].filter(({ texts }) => texts.length > 0);
  if (all.length === 0) return undefined;
  const openRedactor = (): Redactor => createRedactor(all);
  return {
    openRedactor,
    cleanse: (text) => {
      const redactor = openRedactor();
      return decoder.decode(concat([redactor.push(encoder.encode(text)), redactor.end()]));
    },
    hasFolded: (text) =>
      all.some(({ texts }) => texts.some((hidden) => text.toLowerCase().includes(hidden.toLowerCase()))),
  };
}

function seek(value: string): Sought {
  const texts = spellings([value]);
  const needles = texts.map((text) => encoder.encode(text));
  return {
    texts,
    automaton: createAutomaton(needles),
    hasLines: needles.some((needle) => needle.includes(lineFeed)),
  };
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const lineFeed = 10;
/** So much is held back at a time, so that no length tells how long a value is. */
const heldStep = 256;

/** From where to where something stands in a stream. */
interface Span {
  from: number;
  to: number;
}

/**
 * Takes texts out of a stream of bytes, wherever its parts begin and end. What is held back, and how long it takes, depends on nothing but
 * lengths and ends of lines: were it the beginnings of values alone, then whoever may have a service repeat a text could see which beginnings are
 * right, and guess a value letter by letter. A service that writes a value in any other way (base64, reversed, a letter a line) is not seen through.
 */
function createRedactor(sought: readonly Sought[]): Redactor {
  const longest = Math.max(...sought.map(({ automaton }) => automaton.longest));
  const most = Math.ceil(longest / heldStep) * heldStep;
  // A line's end is safe to pass on if nothing that is looked for goes beyond one.
  const isInLine = !sought.some(({ hasLines }) => hasLines);
  const found: Span[] = [];
  let held: Uint8Array = new Uint8Array();
  /** Bytes that were passed on or taken out, and those that were looked at. */
  let passed = 0;
  let seen = 0;
  const states = sought.map(() => 0);

  function look(chunk: Uint8Array): void {
    const spans: Span[] = [];
    for (const [index, { automaton }] of sought.entries())
      states[index] = automaton.run(chunk, states[index] as number, (end, length) =>
        spans.push({ from: seen + end - length, to: seen + end }),
      );
    seen += chunk.length;
    if (sought.length > 1) spans.sort((one, other) => one.to - other.to);
    for (const span of spans) note(span);
  }

  function note(span: Span): void {
    // Of values that overlap nothing is left in between.
    for (let last = found.at(-1); last !== undefined && last.to > span.from; last = found.at(-1)) {
      span.from = Math.min(span.from, last.from);
      found.pop();
    }
    found.push(span);
  }

  /** What comes before `to`, without what was found. */
  function pass(bytes: Uint8Array, to: number): Uint8Array {
    const base = passed;
    const parts: Uint8Array[] = [];
    for (let span = found[0]; span !== undefined && span.from < to; span = found[0]) {
      if (span.from >= passed) parts.push(bytes.subarray(passed - base, span.from - base), maskBytes);
      passed = Math.max(passed, Math.min(span.to, to));
      if (span.to > to) break;
      found.shift();
    }
    if (found[0] === undefined || found[0].from >= to) {
      parts.push(bytes.subarray(passed - base, to - base));
      passed = to;
    }
    held = bytes.slice(passed - base);
    return concat(parts);
  }

  return {
    push(chunk) {
      const start = seen;
      look(chunk);
      const line = isInLine ? chunk.lastIndexOf(lineFeed) : -1;
      const safe = line < 0 ? passed : start + line + 1;
      return pass(held.length === 0 ? chunk : concat([held, chunk]), Math.max(safe, seen - most));
    },
    end: () => pass(held, seen),
  };
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0] as Uint8Array;
  const bytes = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
