/** Longest pattern that is carried over. */
const maxLength = 500;

/** A pattern as a literal, or why it is left out. */
export type Pattern = { readonly code: string } | { readonly fault: string };

/**
 * Reads a pattern of the document. One that may take much longer than its text is long is left out: it would be the edge's thread that it keeps.
 *
 * @see ECMA-262 §22.2; JSON Schema 2020-12 §6.3.3 (patterns are those of ECMA-262, not anchored)
 */
export function readPattern(pattern: string): Pattern {
  if (pattern.length > maxLength) return { fault: `is longer than ${maxLength} characters` };
  const compiled = compile(pattern, "u") ?? compile(pattern, "");
  if (compiled === undefined) return { fault: "is none of ECMAScript" };
  if (mayTakeLong(pattern)) return { fault: "may take exponential time" };
  if (/\\[^ -~]/.test(pattern)) return { fault: "escapes what needs no escape" };
  const code = String(compiled);
  // What the engine does not escape by itself could end the line, or reorder what is read.
  return /^[ -~]*$/.test(code)
    ? { code }
    : {
        code: code.replaceAll(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`),
      };
}

function compile(pattern: string, flags: string): RegExp | undefined {
  try {
    return new RegExp(pattern, flags);
  } catch {
    return undefined;
  }
}

interface Open {
  /** The most that something inside repeats, where that may be more or less often. */
  repeats: number;
  /** There is more than one way through it. */
  branches: boolean;
}

/** Repeats inside of repeats, taken together, that are few enough to be tried. */
const fewRepeats = 64;

/** Whether something that repeats, or has several ways through, repeats as a whole: `(a+)*`, `(a|ab)+`. Says so of some that are harmless too. */
function mayTakeLong(pattern: string): boolean {
  const open: Open[] = [{ repeats: 0, branches: false }];
  let unbounded = 0;
  for (let at = 0; at < pattern.length; at++) {
    const top = open.at(-1) as Open;
    const character = pattern[at];
    let closed: Open | undefined;
    if (character === "\\") {
      // A reference to what was found makes the search hard by itself.
      if (/[1-9k]/.test(pattern[at + 1] ?? "")) return true;
      at += 1;
    } else if (character === "[") {
      at = endOfClass(pattern, at);
    } else if (character === "(") {
      open.push({ repeats: 0, branches: false });
      continue;
    } else if (character === "|") {
      top.branches = true;
      continue;
    } else if (character === ")" && open.length > 1) {
      closed = open.pop();
    }
    const times = readTimes(pattern, at + 1);
    const outer = open.at(-1) as Open;
    if (closed !== undefined) {
      if (closed.branches && times.most > fewRepeats) return true;
      if (closed.repeats > 0 && times.most > 1 && closed.repeats * times.most > fewRepeats) return true;
      outer.repeats = Math.max(outer.repeats, closed.repeats);
      outer.branches ||= closed.branches;
    }
    if (times.least !== times.most) outer.repeats = Math.max(outer.repeats, times.most);
    if (times.most === Number.POSITIVE_INFINITY) unbounded += 1;
    at += times.length;
  }
  // Each of them beside the others is a power of the text's length.
  return unbounded > 4;
}

/** How often what stands before is taken. */
function readTimes(pattern: string, from: number): { least: number; most: number; length: number } {
  const match = /^(?:([*+])|\{(\d{1,6})(?:(,)(\d{0,6}))?\})\??/.exec(pattern.slice(from, from + 20));
  if (match === null) return { least: 1, most: 1, length: 0 };
  const [{ length }, sign, least = "0", comma, most] = match;
  if (sign !== undefined || (comma !== undefined && most === ""))
    return { least: 0, most: Number.POSITIVE_INFINITY, length };
  return { least: Number(least), most: Number(comma === undefined ? least : most), length };
}

function endOfClass(pattern: string, from: number): number {
  for (let at = from + 1; at < pattern.length; at++) {
    if (pattern[at] === "\\") at += 1;
    else if (pattern[at] === "]" && at > from + 1) return at;
  }
  return pattern.length;
}
