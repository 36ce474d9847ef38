/**
 * Whether a path's segments are what a pattern permits: `*` is any one segment that isn't empty, a last `**` any number of segments, none
 * included. All others must be the same, letter by letter.
 */
export function matchPath(pattern: readonly string[], segments: readonly string[]): boolean {
  const isOpen = pattern.at(-1) === "**";
  const length = isOpen ? pattern.length - 1 : pattern.length;
  if (isOpen ? segments.length < length : segments.length !== length) return false;
  for (let index = 0; index < length; index++) {
    const segment = segments[index] as string;
    if (pattern[index] === "*" ? segment === "" : pattern[index] !== segment) return false;
  }
  return true;
}

/** A pattern as a contract writes it. */
export const patternText = (pattern: readonly string[]): string => `/${pattern.join("/")}`;
