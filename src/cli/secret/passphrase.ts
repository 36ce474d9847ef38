import { readFileSync } from "node:fs";
import { createInterface } from "node:readline/promises";
import { CurtainwallError, Secret } from "../../shared/index.ts";
import type { CliErrorCode } from "../errors.ts";
import { createTypedLines } from "./typed-lines.ts";
import { say } from "../voice.ts";

/** Where a passphrase comes from; never from an argument, which every process on the machine can read. */
export interface PassphraseSource {
  /** A descriptor to read it from, instead of asking. */
  fd: string | undefined;
  /** The option that names it. Default `--passphrase-fd`. */
  option?: string;
}

/** Shorter ones are guessed, whatever a guess costs. */
const minLength = 12;

/**
 * Asks for a passphrase: on a terminal without showing it, else one line of stdin or of the descriptor.
 *
 * @param isNew ask twice, and refuse a short one
 * @throws {CurtainwallError} `CLI_USAGE_INVALID` when there is none, or a new one is too short or not repeated
 */
export async function askPassphrase(
  question: string,
  { fd, option = "--passphrase-fd" }: PassphraseSource,
  isNew = false,
): Promise<Secret> {
  const isTyped = fd === undefined && process.stdin.isTTY;
  const questions = isNew && isTyped ? [question, "The same again"] : [question];
  const [given = "", again] =
    fd !== undefined
      ? [readDescriptor(fd, option)]
      : isTyped
        ? await askOnTerminal(questions)
        : [await readLine()];
  if (given === "") throw refused("There is no passphrase.");
  if (isNew && given.length < minLength)
    throw refused(
      `The passphrase is shorter than ${minLength} characters. Five words that nobody says together are good.`,
    );
  if (again !== undefined && again !== given) throw refused("The two passphrases differ.");
  return new Secret(given);
}

/** Asks for the passphrase of a vault that is there, where the contract says that one opens it. */
export const askVaultPassphrase = (environment: string, fd?: string): Promise<Secret> =>
  askPassphrase(`Passphrase of the vault (${environment})`, { fd });

/** Asks on a terminal for something that is typed or pasted twice, without showing it. @throws {CurtainwallError} `CLI_USAGE_INVALID` */
export async function askTwice(question: string): Promise<Secret> {
  const [given = "", again = ""] = await askOnTerminal([question, "The same again"]);
  if (again !== given) throw refused("The two differ.", `Nothing was changed. ${manyLines}`);
  return new Secret(given);
}

/** What was written in place of a number is not repeated: it may be the passphrase itself. */
function readDescriptor(fd: string, option: string): string {
  if (!/^\d{1,4}$/.test(fd))
    throw refused(
      `${option} takes the number of a descriptor. If that was the passphrase: it is in this machine's list of processes and your shell's history now, so take another.`,
      `Type it on a terminal, or hand it over:  ${option} 3  3< file`,
    );
  try {
    return firstLine(readFileSync(Number(fd), "utf8"));
  } catch (cause) {
    throw refused(
      `Descriptor ${fd} can't be read: ${(cause as NodeJS.ErrnoException).code}.`,
      `npx does not hand descriptors on:  node_modules/.bin/curtainwall … ${option} ${fd}  ${fd}< file    or, by npx:  < file`,
    );
  }
}

const firstLine = (text: string): string => (text.split("\n")[0] ?? "").replace(/\r$/, "");

async function readLine(): Promise<string> {
  const lines = createInterface({ input: process.stdin });
  try {
    for await (const line of lines) return line;
    return "";
  } finally {
    lines.close();
  }
}

/** What is pasted comes in parts, a moment apart. */
const pasteMs = 100;

/**
 * Asks one question after the other and reads each answer key by key: the terminal itself would show it.
 *
 * It is made silent before the first question and stays so until the last answer, because somebody who pastes is faster than a switch between
 * the two. A paste of more lines than that is waited for, and refused: its rest would be shown by the shell, and kept in its history.
 */
function askOnTerminal(questions: readonly string[]): Promise<string[]> {
  const { stdin, stderr } = process;
  stdin.setRawMode(true);
  stdin.setEncoding("utf8");
  return new Promise((resolve, reject) => {
    const typed = createTypedLines();
    const answers: string[] = [];
    let waiting: NodeJS.Timeout | undefined;
    const ask = (): boolean => stderr.write(`${questions[answers.length]}: `);
    const finish = (conclude: () => void): void => {
      clearTimeout(waiting);
      stdin.off("data", onData);
      stdin.off("end", onEnd);
      stdin.setRawMode(false);
      stdin.pause();
      conclude();
    };
    const onEnd = (): void => finish(() => reject(refused("The terminal was closed.")));
    const onData = (text: Buffer | string): void => {
      const lines = typed.take(String(text));
      if (lines === "interrupted") {
        say("");
        return finish(() =>
          reject(new CurtainwallError<CliErrorCode>("CLI_INTERRUPTED", "Interrupted. Nothing was changed.")),
        );
      }
      for (const line of lines) {
        answers.push(line);
        if (answers.length <= questions.length) say("");
        if (answers.length < questions.length) ask();
      }
      if (answers.length < questions.length) return;
      clearTimeout(waiting);
      waiting = setTimeout(() => {
        const isMore = answers.length > questions.length || typed.isPending;
        finish(() =>
          isMore ? reject(refused("More lines came than were asked for.", manyLines)) : resolve(answers),
        );
      }, pasteMs);
    };
    stdin.on("data", onData);
    stdin.once("end", onEnd);
    stdin.resume();
    ask();
  });
}

const manyLines = "What has several lines, a key in PEM for one, is handed over:  < file";

function refused(
  message: string,
  hint = "Type it on a terminal, or hand it over:  < file",
): CurtainwallError {
  return new CurtainwallError("CLI_USAGE_INVALID", message, { hint });
}
