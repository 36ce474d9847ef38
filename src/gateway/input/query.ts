/** Keys that a query may have. */
const maxQueryKeys = 64;

/**
 * Parses a query string into one text a key. A key that stands twice, a malformed escape or too many keys make it
 * unreadable: which of two values counts is something that servers disagree on.
 *
 * @returns undefined when it can't be read
 * @see WHATWG URL, application/x-www-form-urlencoded parsing
 */
export function parseQuery(query: string): Record<string, string> | undefined {
  const values: Record<string, string> = Object.create(null) as Record<string, string>;
  if (query === "") return values;
  const parts = query.split("&");
  if (parts.length > maxQueryKeys) return undefined;
  for (const part of parts) {
    const equals = part.indexOf("=");
    const key = decode(equals < 0 ? part : part.slice(0, equals));
    const value = decode(equals < 0 ? "" : part.slice(equals + 1));
    if (key === undefined || value === undefined || key === "" || key in values || key === "__proto__")
      return undefined;
    values[key] = value;
  }
  return values;
}

function decode(text: string): string | undefined {
  const spaced = text.includes("+") ? text.replaceAll("+", " ") : text;
  if (!spaced.includes("%")) return spaced.isWellFormed() ? spaced : undefined;
  try {
    return decodeURIComponent(spaced);
  } catch {
    return undefined;
  }
}

/** Writes a query string, with its "?", from parsed values; empty if there are none. */
export function formatQuery(values: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(values).map(
    ([key, value]) => `${encodeURIComponent(key)}=${encodeURIComponent(value.toWellFormed())}`,
  );
  return pairs.length === 0 ? "" : `?${pairs.join("&")}`;
}
