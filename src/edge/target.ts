/** What may stand unescaped in a path: RFC 3986's pchar, and three characters that browsers leave as they are. */
const unescaped = charset(
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;=:@/[]|",
);

/**
 * Decodes a path, once and strictly, or returns undefined: for a malformed escape or UTF-8, a raw character that has no
 * place in a path, an empty or dot segment however written, an escaped slash, backslash or control character. What it
 * returns can't name anything but what it reads like.
 *
 * @param path begins with `/`; no query
 * @see RFC 3986 §3.3
 */
export function decodePath(path: string): string | undefined {
  if (path.charCodeAt(0) !== 0x2f) return undefined;
  let escaped = false;
  for (let at = 1; at < path.length; at++) {
    const code = path.charCodeAt(at);
    if (code === 0x25) {
      if (!isPlainEscape(path, at)) return undefined;
      escaped = true;
      at += 2;
    } else if (unescaped[code] !== 1) {
      return undefined;
    }
  }
  const decoded = escaped ? decodeUtf8(path) : path;
  return decoded === undefined || hasOddSegment(decoded) ? undefined : decoded;
}

/** Writes a decoded path as browsers send it: the form that is looked up first. */
export function encodePath(path: string): string {
  return encodeURI(path)
    .replaceAll("%5B", "[")
    .replaceAll("%5D", "]")
    .replaceAll("%7C", "|")
    .replaceAll("?", "%3F")
    .replaceAll("#", "%23");
}

/** Tells whether a query is visible ASCII without `#`: what a URL can carry. */
export function isCleanQuery(query: string): boolean {
  for (let at = 0; at < query.length; at++) {
    const code = query.charCodeAt(at);
    if (code <= 0x20 || code >= 0x7f || code === 0x23) return false;
  }
  return true;
}

/** Two hexadecimal digits follow, and they don't stand for a control character, a slash or a backslash. */
function isPlainEscape(path: string, at: number): boolean {
  const high = hexValue(path.charCodeAt(at + 1));
  const low = hexValue(path.charCodeAt(at + 2));
  const byte = high * 16 + low;
  return high >= 0 && low >= 0 && byte >= 0x20 && byte !== 0x7f && byte !== 0x2f && byte !== 0x5c;
}

function hexValue(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : Number.NaN;
}

function decodeUtf8(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}

function hasOddSegment(path: string): boolean {
  let start = 1;
  while (start <= path.length) {
    const slash = path.indexOf("/", start);
    const end = slash < 0 ? path.length : slash;
    const length = end - start;
    if (length === 0 && slash >= 0) return true;
    if (length <= 2 && length > 0 && path.charCodeAt(start) === 0x2e) {
      if (length === 1 || path.charCodeAt(start + 1) === 0x2e) return true;
    }
    start = end + 1;
  }
  return false;
}

function charset(characters: string): Uint8Array {
  const set = new Uint8Array(128);
  for (const character of characters) set[character.charCodeAt(0)] = 1;
  return set;
}
