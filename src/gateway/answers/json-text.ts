// How a checked answer is written: with its numbers as the upstream wrote them, whatever a double would make of them.

/** A number whose text differs from what JavaScript writes for it, most likely; a text that looks like one costs time and nothing else. */
const unusualNumber = /[:,[]\s*-?(?:[\d.]{16,}|\d+\.\d*0|0|[\d.]+[eE][+-]?\d+)\s*[,}\]]/;

/** Objects that `JSON.stringify` writes as their text: in every engine since 2023, and not yet in TypeScript's library. */
interface RawJson {
  readonly rawJSON: string;
}
interface RawJsonFunctions {
  rawJSON?: (text: string) => RawJson;
  isRawJSON?: (value: unknown) => value is RawJson;
}
const { rawJSON, isRawJSON } = JSON as unknown as RawJsonFunctions;

/**
 * Writes what is left of a value after undeclared members were dropped, each number as in the text that the value was read from.
 *
 * @param kept what may leave
 * @param text what it was read from; undefined when there is no text
 */
export function writeKept(kept: unknown, text: string | undefined): string {
  if (text === undefined || rawJSON === undefined || !mayHaveUnusualNumber(text)) return JSON.stringify(kept);
  return JSON.stringify(withSources(kept, readWithSources(text, rawJSON)));
}

const mayHaveUnusualNumber = (text: string): boolean =>
  unusualNumber.test(text) || (text.charCodeAt(0) !== 0x7b && text.charCodeAt(0) !== 0x5b);

function readWithSources(text: string, raw: (text: string) => RawJson): unknown {
  const keep = (_: string, value: unknown, context: { source?: string }): unknown =>
    typeof value === "number" && context.source !== undefined && String(value) !== context.source
      ? raw(context.source)
      : value;
  return JSON.parse(text, keep as (key: string, value: unknown) => unknown);
}

/** The first value, with the numbers of the second where they are the same. */
function withSources(kept: unknown, source: unknown): unknown {
  if (isRawJSON?.(source)) return typeof kept === "number" && Number(source.rawJSON) === kept ? source : kept;
  if (typeof kept !== "object" || kept === null || typeof source !== "object" || source === null) return kept;
  if (Array.isArray(kept))
    return Array.isArray(source) && source.length === kept.length
      ? kept.map((entry, index) => withSources(entry, source[index]))
      : kept;
  const result: Record<string, unknown> = {};
  for (const [key, member] of Object.entries(kept))
    result[key] = Object.hasOwn(source, key)
      ? withSources(member, (source as Record<string, unknown>)[key])
      : member;
  return result;
}

/**
 * Tells whether a text says nothing besides the value that was read from it: no object in it names a key twice, the first time with what
 * should not leave.
 *
 * @param members how many members all objects of the value have
 */
export function saysNoMore(text: string, members: number): boolean {
  let colons = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 34) at = stringEnd(text, at + 1);
    else if (code === 58) colons++;
  }
  return colons === members;
}

/** Where a string ends, in a text that is JSON. */
function stringEnd(text: string, from: number): number {
  let quote = text.indexOf('"', from);
  while (isEscaped(text, quote)) quote = text.indexOf('"', quote + 1);
  return quote;
}

function isEscaped(text: string, quote: number): boolean {
  let start = quote;
  while (text.charCodeAt(start - 1) === 92) start--;
  return (quote - start) % 2 === 1;
}
