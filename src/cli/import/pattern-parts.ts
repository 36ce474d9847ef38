/** A pattern, as far as it says which texts it can be tried on in how many ways. */
export type Part =
  /** One character, and what it may be, as a pattern. */
  | { readonly kind: "one"; readonly source: string }
  | { readonly kind: "all"; readonly parts: readonly Part[] }
  | { readonly kind: "any"; readonly options: readonly Part[] }
  | { readonly kind: "repeat"; readonly part: Part; readonly least: number; readonly most: number }
  /** Looks at what follows, or went before, and takes none of it. */
  | { readonly kind: "look"; readonly part: Part };

/** A character, or what stands for some. */
const oneOf =
  /\\(?:u\{[0-9a-fA-F]{1,6}\}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|[pP]\{[\w=]{1,60}\}|c[A-Za-z]|[^])|\[(?:\\[^]|[^\]\\])*\]|[^]/uy;
const times = /(?:([*+?])|\{(\d{1,6})(?:(,)(\d{0,6}))?\})\??/y;
const opening = /\((?:\?(?:(<?[=!])|:|<[\w$]+>))?/y;

const nothing: Part = { kind: "all", parts: [] };

/** Takes a pattern that compiles apart; undefined: it refers to what it found, which makes any search hard. */
export function readParts(pattern: string): Part | undefined {
  let at = 0;

  const take = (expression: RegExp): RegExpExecArray | undefined => {
    expression.lastIndex = at;
    const match = expression.exec(pattern);
    if (match !== null) at += match[0].length;
    return match ?? undefined;
  };

  function readOptions(): Part | undefined {
    const options: Part[] = [];
    for (;;) {
      const parts: Part[] = [];
      while (at < pattern.length && pattern[at] !== "|" && pattern[at] !== ")") {
        const part = readOne();
        if (part === undefined) return undefined;
        parts.push(readTimes(part));
      }
      options.push({ kind: "all", parts });
      if (pattern[at] !== "|") return options.length === 1 ? options[0] : { kind: "any", options };
      at++;
    }
  }

  function readOne(): Part | undefined {
    if (pattern[at] === "(") {
      const look = take(opening)?.[1];
      const part = readOptions();
      at++;
      return part === undefined || look === undefined ? part : { kind: "look", part };
    }
    const source = take(oneOf)?.[0] ?? "";
    if (/^\\[1-9k]/.test(source)) return undefined;
    return /^(?:[\^$]|\\[bB])$/.test(source) ? nothing : { kind: "one", source };
  }

  function readTimes(part: Part): Part {
    const found = take(times);
    if (found === undefined) return part;
    const [, sign, least = "0", comma, most] = found;
    if (sign === "?") return { kind: "repeat", part, least: 0, most: 1 };
    if (sign !== undefined)
      return { kind: "repeat", part, least: sign === "+" ? 1 : 0, most: Number.POSITIVE_INFINITY };
    const isOpen = comma !== undefined && most === "";
    return {
      kind: "repeat",
      part,
      least: Number(least),
      most: isOpen ? Number.POSITIVE_INFINITY : Number(comma === undefined ? least : most),
    };
  }

  return readOptions();
}
