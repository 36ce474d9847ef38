import { styleText } from "node:util";
import { CurtainwallError } from "../shared/index.ts";
import { createProgress } from "./progress.ts";
import type { ProgressLine } from "./progress.ts";

// How every command speaks: results to stdout, words to stderr, an error as what happened, why, and what helps.

/** Exit codes: done, failed (also: an audit row failed), misused. */
export const exitCodes = { done: 0, failed: 1, usage: 2 } as const;

/** Styles that words may have. */
type Style = "bold" | "dim" | "red" | "green" | "yellow" | "cyan";

/** Tells whether a stream is a terminal that shows colours and moving lines. */
const isLively = (stream: NodeJS.WriteStream): boolean =>
  stream.isTTY && process.env.NO_COLOR === undefined && process.env.TERM !== "dumb";

/** Styles a text for stderr, if that is a terminal. */
export function styled(style: Style, text: string): string {
  return isLively(process.stderr) ? styleText(style, text, { validateStream: false }) : text;
}

/** Says something to whoever runs the command. */
export function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** Prints a result. */
export function print(text: string): void {
  process.stdout.write(text.endsWith("\n") ? text : `${text}\n`);
}

/** How long something took: `850 ms`, and from ten seconds on `203 s`. */
export const duration = (milliseconds: number): string =>
  milliseconds < 10_000 ? `${milliseconds} ms` : `${Math.round(milliseconds / 1000)} s`;

/** Characters of a quoted line, indented, that a terminal shows without folding it. */
export function quotedLength(): number {
  return Math.max(40, (process.stdout.columns ?? 158) - 8);
}

/** Prints a result for a program. */
export function printJson(value: unknown): void {
  print(JSON.stringify(value, null, 2));
}

/** Shows how far long work is: in place on a terminal, elsewhere by a line now and then. */
export function showProgress(): ProgressLine {
  const { stderr } = process;
  return createProgress({
    write: (text) => void stderr.write(text),
    now: () => performance.now(),
    columns: isLively(stderr) ? stderr.columns : undefined,
    style: (text) => styled("dim", text),
  });
}

/** A package that an import did not find, as Node names it; a path is a file of ours. */
const missingPackage = /^Cannot find package '([^']+)'/;

/** Says what went wrong. What is not one of our errors is a mistake of ours, and shows where. */
export function sayError(error: unknown): void {
  const [, missing] =
    (error as NodeJS.ErrnoException).code === "ERR_MODULE_NOT_FOUND"
      ? (missingPackage.exec((error as Error).message) ?? [])
      : [];
  if (missing !== undefined)
    return sayError(
      new CurtainwallError("CLI_PART_MISSING", `The package ${missing} is not installed.`, {
        hint: "Install what the project depends on:  npm ci",
      }),
    );
  if (!(error instanceof CurtainwallError)) {
    say(`${styled("red", "Something went wrong that should not have.")} Please report it with this:\n`);
    say(error instanceof Error ? (error.stack ?? error.message) : String(error));
    return;
  }
  say(`${styled("red", error.code)}  ${error.message}`);
  if (error.hint !== undefined) say(`${styled("dim", "→")} ${error.hint}`);
}
