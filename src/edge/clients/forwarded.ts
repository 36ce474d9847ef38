const token = /^[!#$%&'*+.^_`|~\w-]+$/;

/**
 * The `for` of each station of a `Forwarded` header, in their order; an empty text where a station doesn't say.
 *
 * @returns undefined if it does not follow the grammar: half of it could be read in more ways than one
 * @see RFC 7239 §4
 */
export function forwardedFor(header: string): readonly string[] | undefined {
  const stations: string[] = [];
  let rest = header;
  for (;;) {
    const station = readStation(rest);
    if (station === undefined) return undefined;
    stations.push(station.client);
    if (station.rest === undefined) return stations;
    rest = station.rest;
  }
}

interface Station {
  readonly client: string;
  /** What follows its comma; undefined if nothing does. */
  readonly rest: string | undefined;
}

function readStation(text: string): Station | undefined {
  const names = new Set<string>();
  let client = "";
  let at = 0;
  for (;;) {
    at = skipBlanks(text, at);
    const pair = readPair(text, at);
    if (pair === undefined || names.has(pair.name)) return undefined;
    names.add(pair.name);
    if (pair.name === "for") client = pair.value;
    at = skipBlanks(text, pair.end);
    if (at === text.length) return { client, rest: undefined };
    if (text[at] === ",") return { client, rest: text.slice(at + 1) };
    if (text[at] !== ";") return undefined;
    at++;
  }
}

function skipBlanks(text: string, from: number): number {
  let at = from;
  while (text[at] === " " || text[at] === "\t") at++;
  return at;
}

function readPair(text: string, from: number): { name: string; value: string; end: number } | undefined {
  const equals = text.indexOf("=", from);
  const name = text.slice(from, equals);
  if (equals < 0 || !token.test(name)) return undefined;
  const value = text[equals + 1] === '"' ? readQuoted(text, equals + 2) : readToken(text, equals + 1);
  return value && { name: name.toLowerCase(), value: value.text, end: value.end };
}

function readToken(text: string, from: number): { text: string; end: number } | undefined {
  let end = from;
  while (end < text.length && !" \t,;".includes(text[end] as string)) end++;
  const value = text.slice(from, end);
  return token.test(value) ? { text: value, end } : undefined;
}

/** A quoted string after its first quote (RFC 9110 §5.6.4). */
function readQuoted(text: string, from: number): { text: string; end: number } | undefined {
  let value = "";
  for (let at = from; at < text.length; at++) {
    if (text[at] === '"') return { text: value, end: at + 1 };
    if (text[at] === "\\") at++;
    value += text[at] ?? "";
  }
  return undefined;
}
