/** What is wrong with a JSON body; undefined if nothing is. */
export type JsonFault = "malformed" | "duplicate-key" | "too-deep" | "forbidden-key";

/** Deepest nesting of arrays and objects that is read. */
const maxDepth = 32;

// A byte order mark is not JSON (RFC 8259 §8.1), so it must not be swallowed.
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

const quoteCode = 34;
const backslash = 92;

/**
 * Parses a JSON body as every parser would understand it: UTF-8 only, no key twice in one object (parsers differ on which
 * one counts), no `__proto__`, nesting bounded.
 *
 * @see RFC 8259 §4 (names within an object should be unique), §8.1 (UTF-8 without a byte order mark)
 */
export function parseJsonBody(
  bytes: Uint8Array,
): { value: unknown; fault: undefined } | { value: undefined; fault: JsonFault } {
  let value: unknown;
  let names: number;
  try {
    const text = decoder.decode(bytes);
    names = countNames(text);
    if (names < 0) return { value: undefined, fault: "too-deep" };
    value = JSON.parse(text);
  } catch {
    return { value: undefined, fault: "malformed" };
  }
  const kept = countKeys(value);
  if (Number.isNaN(kept)) return { value: undefined, fault: "forbidden-key" };
  // A duplicate leaves its colon in the text but no member in the value.
  if (kept !== names) return { value: undefined, fault: "duplicate-key" };
  return { value, fault: undefined };
}

/** Counts the colons outside strings: one for each member written. -1 if the nesting is too deep. */
function countNames(text: string): number {
  let names = 0;
  let depth = 0;
  for (let index = 0; index < text.length; index++) {
    switch (text.charCodeAt(index)) {
      case quoteCode:
        index = stringEnd(text, index + 1);
        break;
      case 58:
        names++;
        break;
      case 91:
      case 123:
        if (++depth > maxDepth) return -1;
        break;
      case 93:
      case 125:
        depth--;
        break;
    }
  }
  return names;
}

/** Where a string ends: at the first quote with an even number of backslashes before it. */
function stringEnd(text: string, from: number): number {
  for (let quote = text.indexOf('"', from); quote >= 0; quote = text.indexOf('"', quote + 1)) {
    let start = quote;
    while (start > from && text.charCodeAt(start - 1) === backslash) start--;
    if ((quote - start) % 2 === 0) return quote;
  }
  return text.length;
}

/** Counts the members of all objects in a value; NaN if one is called `__proto__`. */
function countKeys(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  let count = 0;
  if (Array.isArray(value)) {
    for (const entry of value) count += countKeys(entry);
    return count;
  }
  for (const key in value) {
    if (key === "__proto__") return Number.NaN;
    count += 1 + countKeys((value as Record<string, unknown>)[key]);
  }
  return count;
}
