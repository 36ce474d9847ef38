/** Makes an entity tag of what leaves. */
export const entityTagOf = (text: string, digest: (text: string) => string): string =>
  `"${digest(text).slice(0, 27)}"`;

/**
 * Tells whether `If-None-Match` names a tag; compared weakly (RFC 9110 §13.1.2).
 *
 * @param header undefined: it was not sent
 */
export function namesTag(header: string | undefined, tag: string): boolean {
  if (header === undefined) return false;
  if (header === "*" || header === tag) return true;
  return header.split(",").some((part) => {
    const trimmed = part.trim();
    return (trimmed.startsWith("W/") ? trimmed.slice(2) : trimmed) === tag;
  });
}
