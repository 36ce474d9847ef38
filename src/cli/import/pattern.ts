import { mayTakeLong } from "./pattern-cost.ts";

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
  if (mayTakeLong(pattern, compiled.flags)) return { fault: "may take much longer than its text is long" };
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
