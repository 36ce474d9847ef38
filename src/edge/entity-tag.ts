import { toBase64Url } from "../shared/index.ts";

/** The strong entity tag of a file: 128 bits of its SHA-256. */
export function entityTag(sha256Hex: string): string {
  const bytes = Uint8Array.from({ length: 16 }, (_, index) =>
    Number.parseInt(sha256Hex.slice(index * 2, index * 2 + 2), 16),
  );
  return `"${toBase64Url(bytes)}"`;
}

/**
 * Tells whether If-None-Match names the tag, so that 304 is the answer. Tags are compared weakly; a list that is malformed
 * matches only by what stands before the fault.
 *
 * @see RFC 9110 §13.1.2 and §8.8.3
 */
export function namesEntityTag(ifNoneMatch: string, tag: string): boolean {
  if (ifNoneMatch === tag) return true;
  if (ifNoneMatch.trim() === "*") return true;
  let at = 0;
  while (at < ifNoneMatch.length) {
    const character = ifNoneMatch[at];
    if (character === " " || character === "\t" || character === ",") {
      at++;
      continue;
    }
    if (ifNoneMatch.startsWith("W/", at)) at += 2;
    if (ifNoneMatch[at] !== '"') return false;
    const end = ifNoneMatch.indexOf('"', at + 1);
    if (end < 0) return false;
    if (end + 1 - at === tag.length && ifNoneMatch.startsWith(tag, at)) return true;
    at = end + 1;
  }
  return false;
}
