import { parse } from "@babel/parser";
import { maxParsedLength } from "../inspect/script-syntax.ts";
import type { Skeleton } from "./skeleton.ts";
import type { ScriptKind } from "./types.ts";

/** What stands for data in printed code. */
const hole = "⟨data⟩";
/** A line goes on up to its next comma, and no line much longer than that. */
const longLine = 90;
const longestLine = 400;

/**
 * Breaks a script into lines that depend on its code alone, so that two versions of it can be compared and shown, minified or not. Data
 * is left out.
 */
export function codeLines(source: string, kind: ScriptKind, { holes }: Pick<Skeleton, "holes">): string[] {
  const tokens = source.length > maxParsedLength ? undefined : tokensOf(source, kind, holes);
  return tokens === undefined
    ? source.split("\n").map((line) => line.trim())
    : layOut(tokens).filter((line) => line !== "");
}

interface Token {
  readonly start: number;
  readonly end: number;
}

function tokensOf(source: string, kind: ScriptKind, holes: Skeleton["holes"]): string[] | undefined {
  const tokens = readTokens(source, kind);
  if (tokens === undefined) return undefined;
  const texts: string[] = [];
  let next = 0;
  for (const { start, end } of tokens) {
    while ((holes[next]?.to ?? Infinity) <= start) next++;
    const around = holes[next];
    if (around === undefined || start < around.from) texts.push(source.slice(start, end));
    else if (start === around.from) texts.push(hole);
  }
  return texts;
}

function readTokens(source: string, kind: ScriptKind): readonly Token[] | undefined {
  for (const sourceType of kind === "module" ? (["module"] as const) : (["script", "module"] as const)) {
    try {
      const file = parse(source, {
        sourceType,
        tokens: true,
        attachComment: false,
        allowReturnOutsideFunction: kind === "handler",
      });
      return ((file.tokens ?? []) as readonly (Token & { type: unknown })[]).filter(
        ({ type, start, end }) => !String(type).startsWith("Comment") && end > start,
      );
    } catch {
      // Tried as a module next, or shown as it is.
    }
  }
  return undefined;
}

const word = /[\w$\u0080-\uffff]/;

/** What stays on the line of the brace before it. */
const clinging = new Set([")", "]", ",", ";", ".", "(", "?."]);

function layOut(tokens: readonly string[]): string[] {
  const lines: string[] = [];
  let line = "";
  /** Brackets that are open; a `;` between round ones ends no statement. */
  const open: string[] = [];
  const end = (): void => {
    lines.push(line);
    line = "";
  };
  for (const [index, token] of tokens.entries()) {
    const before = tokens[index - 1];
    if (before === "}" && line !== "" && !clinging.has(token)) end();
    if (token === "}" && before !== "{" && line !== "") end();
    if (token === "}" || token === ")" || token === "]") open.pop();
    if (line === "") line = "  ".repeat(Math.min(open.filter((bracket) => bracket === "{").length, 10));
    line += spaced(line, token);
    if (token === "{" || token === "(" || token === "[" || token === "${") open.push(token);
    if (token === "{" && tokens[index + 1] !== "}") end();
    else if (token === ";" && open.at(-1) !== "(") end();
    else if (line.length > (token === "," ? longLine : longestLine)) end();
  }
  end();
  return lines;
}

/** A token after what stands before it, with the space that keeps the two apart. */
function spaced(before: string, token: string): string {
  const last = before.at(-1) ?? " ";
  if (last === " " || token === "," || token === ";") return token;
  const apart =
    (word.test(last) && word.test(token.charAt(0))) || /^[-+*/%&|^<>=?,]$/.test(last) || operators.has(token);
  return apart ? ` ${token}` : token;
}

/** Between two values; what stands before one may look like them. */
const operators = new Set(
  "+ - * / % ** & | ^ < > = ? << >> >>> && || ?? == != === !== <= >= => += -= *= /= %= **= &= |= ^= <<= >>= >>>= &&= ||= ??=".split(
    " ",
  ),
);
