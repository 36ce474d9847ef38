/** RFC 6265bis §4.1.1: what a value is written with; quotes, if any, around all of it. */
const cookieValue = /^(?:[!#-+\--:<-[\]-~]*|"[!#-+\--:<-[\]-~]*")$/;

const maxCookies = 200;

/**
 * Reads the named cookies of a `Cookie` header. Others are passed over, whatever they look like: a browser sends all that the site has, some
 * of them other people's.
 *
 * @returns undefined when one of the named stands twice or is malformed: which of two counts is something that servers disagree on
 * @see RFC 6265bis §4.2.1, §5.8.3
 */
export function parseCookies(
  header: string | undefined,
  names: ReadonlySet<string>,
): Record<string, string> | undefined {
  const values = Object.create(null) as Record<string, string>;
  if (header === undefined) return values;
  const parts = header.split(";", maxCookies + 1);
  if (parts.length > maxCookies) return undefined;
  for (const part of parts) {
    const pair = part.trim();
    const equals = pair.indexOf("=");
    const name = (equals < 0 ? pair : pair.slice(0, equals)).trim();
    if (!names.has(name)) continue;
    const value = pair.slice(equals + 1);
    if (equals !== name.length || name in values || !cookieValue.test(value)) return undefined;
    values[name] = value.startsWith('"') ? value.slice(1, -1) : value;
  }
  return values;
}

/** Writes a `Cookie` header; undefined when a value can't stand in one. */
export function formatCookies(values: Readonly<Record<string, string>>): string | undefined {
  const pairs = Object.entries(values);
  if (!pairs.every(([, value]) => cookieValue.test(value))) return undefined;
  return pairs.map(([name, value]) => `${name}=${value}`).join("; ");
}
