/**
 * Finds the longest text that every match of a regular expression contains: where it does not stand, the expression need not be run.
 * Undefined when there is none of four characters, as behind an alternative.
 */
export function requiredText(source: string): string | undefined {
  let best = "";
  let current = "";
  const end = (): void => {
    if (current.length > best.length) best = current;
    current = "";
  };
  for (let at = 0; at < source.length;) {
    const token = readToken(source, at);
    if (token === undefined) return undefined;
    const quantifier = readQuantifier(source, at + token.length);
    at += token.length + quantifier.length;
    if (token.text === undefined || quantifier.min === 0) end();
    else if (quantifier.length > 0) {
      current += token.text;
      end();
    } else current += token.text;
  }
  end();
  return best.length >= 4 ? best : undefined;
}

interface Token {
  readonly length: number;
  /** The one character that it matches; undefined if it may match others, or none. */
  readonly text: string | undefined;
}

/** Undefined: an alternative at the top, behind which nothing is required. */
function readToken(source: string, at: number): Token | undefined {
  const character = source.charAt(at);
  if (character === "|") return undefined;
  if (character === "[") return { length: endOfClass(source, at) - at, text: undefined };
  if (character === "(") return { length: endOfGroup(source, at) - at, text: undefined };
  if (character === "\\") {
    const escaped = source.charAt(at + 1);
    return { length: 2, text: /[^A-Za-z0-9]/.test(escaped) ? escaped : undefined };
  }
  return { length: 1, text: /[.^$]/.test(character) ? undefined : character };
}

function endOfClass(source: string, at: number): number {
  for (let index = at + 1; index < source.length; index++) {
    if (source[index] === "\\") index++;
    else if (source[index] === "]") return index + 1;
  }
  return source.length;
}

function endOfGroup(source: string, at: number): number {
  let depth = 0;
  for (let index = at; index < source.length; index++) {
    const character = source[index];
    if (character === "\\") index++;
    else if (character === "[") index = endOfClass(source, index) - 1;
    else if (character === "(") depth++;
    else if (character === ")" && --depth === 0) return index + 1;
  }
  return source.length;
}

function readQuantifier(source: string, at: number): { length: number; min: number } {
  const braces = /^\{(\d+)(?:,\d*)?\}\??/.exec(source.slice(at, at + 24));
  if (braces !== null) return { length: braces[0].length, min: Number(braces[1]) };
  const character = source.charAt(at);
  if (!/[?*+]/.test(character) || character === "") return { length: 0, min: 1 };
  return { length: source.charAt(at + 1) === "?" ? 2 : 1, min: character === "+" ? 1 : 0 };
}
