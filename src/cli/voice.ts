import { accessSync, constants, existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { styleText } from "node:util";
import { CurtainwallError, escapeControls } from "../shared/index.ts";
import type { CliErrorCode } from "./errors.ts";
import { createProgress } from "./progress.ts";
import type { ProgressLine } from "./progress.ts";

// How every command speaks: results to stdout, words to stderr, an error as what happened, why, and what helps.

/** Exit codes: done, failed (also: an audit row failed), misused, and Ctrl-C at a question, as shells have it. */
export const exitCodes = { done: 0, failed: 1, usage: 2, interrupted: 130 } as const;

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

/** Prints a result for a program. A terminal may be what reads it: nothing in it drives one. */
export function printJson(value: unknown): void {
  print(escapeControls(JSON.stringify(value, null, 2)));
}

/** Shows how far long work is: in place on a terminal, elsewhere by a line now and then, or not at all. */
export function showProgress({ onlyOnTerminal = false } = {}): ProgressLine {
  const { stderr } = process;
  if (onlyOnTerminal && !isLively(stderr)) return { update: () => undefined, done: () => undefined };
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
  const disk = diskError(error);
  if (disk !== undefined) return sayError(disk);
  if (!(error instanceof CurtainwallError)) {
    say(`${styled("red", "Something went wrong that should not have.")} Please report it with this:\n`);
    say(error instanceof Error ? (error.stack ?? error.message) : String(error));
    return;
  }
  say(`${styled("red", error.code)}  ${error.message}`);
  if (error.hint !== undefined) say(`${styled("dim", "→")} ${error.hint}`);
}

/** What a disk refuses, in words, and what helps. */
const refusals: Readonly<Record<string, readonly [why: string, hint: string]>> = {
  ENOSPC: ["the disk is full", "Make room, and run the command again"],
  EDQUOT: ["this user's share of the disk is used up", "Make room, and run the command again"],
  EROFS: ["the disk can only be read", "Mount it so that it can be written to, and run the command again"],
};

/** A disk that is full is nobody's mistake here, wherever it was noticed. */
function diskError(error: unknown): CurtainwallError<CliErrorCode> | undefined {
  const { code = "", syscall, path } = error as NodeJS.ErrnoException;
  const refusal = refusals[syscall === "mkdir" && isOnReadOnlyDisk(path) ? "EROFS" : code];
  if (syscall === undefined || refusal === undefined) return undefined;
  const [why, hint] = refusal;
  return new CurtainwallError("CLI_DISK_REFUSED", `${path ?? "A file"} can't be written: ${why}.`, {
    cause: error,
    hint,
  });
}

/** Node says ENOENT of a folder that can't be made on a disk that can only be read. */
function isOnReadOnlyDisk(path: string | undefined): boolean {
  if (path === undefined) return false;
  let folder = resolve(path);
  while (!existsSync(folder)) folder = dirname(folder);
  try {
    accessSync(folder, constants.W_OK);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EROFS";
  }
}
