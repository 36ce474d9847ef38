/** Keys and values that a query or a form may have. */
const maxPairs = 64;

/** Texts by key; of a key that may stand several times, a list. */
export type Pairs = Record<string, string | string[]>;

const none: ReadonlySet<string> = new Set();

/**
 * Parses a query string, or a URL-encoded form. A key that stands twice and is no list, a malformed escape, a control character U+0000 or
 * too many keys make it unreadable: which of two values counts is something that servers disagree on.
 *
 * @param lists keys that may stand several times
 * @returns undefined when it can't be read
 * @see WHATWG URL, application/x-www-form-urlencoded parsing
 */
export function parseQuery(query: string, lists: ReadonlySet<string> = none): Pairs | undefined {
  const values: Pairs = Object.create(null) as Pairs;
  if (query === "") return values;
  const parts = query.split("&", maxPairs + 1);
  if (parts.length > maxPairs) return undefined;
  for (const part of parts) {
    const equals = part.indexOf("=");
    const key = decode(equals < 0 ? part : part.slice(0, equals));
    const value = decode(equals < 0 ? "" : part.slice(equals + 1));
    if (key === undefined || value === undefined || key === "" || key === "__proto__") return undefined;
    if (lists.has(key)) ((values[key] ??= []) as string[]).push(value);
    else if (key in values) return undefined;
    else values[key] = value;
  }
  return values;
}

function decode(text: string): string | undefined {
  const spaced = text.includes("+") ? text.replaceAll("+", " ") : text;
  if (!spaced.includes("%")) return spaced.isWellFormed() && !spaced.includes("\0") ? spaced : undefined;
  try {
    const decoded = decodeURIComponent(spaced);
    return decoded.includes("\0") ? undefined : decoded;
  } catch {
    return undefined;
  }
}

/** Writes parsed values as a query string without its "?", or as a form; empty if there are none. */
export function formatPairs(values: Readonly<Record<string, string | readonly string[]>>): string {
  const pairs: string[] = [];
  for (const [key, value] of Object.entries(values))
    for (const text of typeof value === "string" ? [value] : value)
      pairs.push(`${encodeURIComponent(key)}=${encodeURIComponent(text.toWellFormed())}`);
  return pairs.join("&");
}
