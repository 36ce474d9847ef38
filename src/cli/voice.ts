import { styleText } from "node:util";
import { CurtainwallError } from "../shared/index.ts";

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

/** Prints a result for a program. */
export function printJson(value: unknown): void {
  print(JSON.stringify(value, null, 2));
}

/** A line that tells how far long work is; see {@link showProgress}. */
export interface ProgressLine {
  update(text: string): void;
  /** Leaves nothing behind. */
  done(): void;
}

/** Shows progress in place on a terminal, and nothing elsewhere, where it would fill a log. */
export function showProgress(): ProgressLine {
  if (!isLively(process.stderr)) return { update: () => undefined, done: () => undefined };
  let last = 0;
  return {
    update(text) {
      const now = performance.now();
      if (now - last < 50) return;
      last = now;
      process.stderr.write(`\r\u001b[K${styled("dim", text.slice(0, (process.stderr.columns ?? 80) - 1))}`);
    },
    done: () => void process.stderr.write("\r\u001b[K"),
  };
}

/** Says what went wrong. What is not one of our errors is a mistake of ours, and shows where. */
export function sayError(error: unknown): void {
  if (!(error instanceof CurtainwallError)) {
    say(`${styled("red", "Something went wrong that should not have.")} Please report it with this:\n`);
    say(error instanceof Error ? (error.stack ?? error.message) : String(error));
    return;
  }
  say(`${styled("red", error.code)}  ${error.message}`);
  if (error.hint !== undefined) say(`${styled("dim", "→")} ${error.hint}`);
}
