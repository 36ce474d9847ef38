import { readFileSync } from "node:fs";
import { createInterface } from "node:readline/promises";
import { CurtainwallError, Secret } from "../shared/index.ts";
import { say } from "./voice.ts";

/** Where a passphrase comes from; never from an argument, which every process on the machine can read. */
export interface PassphraseSource {
  /** A descriptor to read it from, instead of asking. */
  fd: string | undefined;
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
  { fd }: PassphraseSource,
  isNew = false,
): Promise<Secret> {
  const isTyped = fd === undefined && process.stdin.isTTY;
  const questions = isNew && isTyped ? [question, "The same again"] : [question];
  const [given = "", again] =
    fd !== undefined ? [readDescriptor(fd)] : isTyped ? await askOnTerminal(questions) : [await readLine()];
  if (given === "") throw refused("There is no passphrase.");
  if (isNew && given.length < minLength)
    throw refused(
      `The passphrase is shorter than ${minLength} characters. Five words that nobody says together are good.`,
    );
  if (again !== undefined && again !== given) throw refused("The two passphrases differ.");
  return new Secret(given);
}

function readDescriptor(fd: string): string {
  if (!/^\d{1,4}$/.test(fd))
    throw refused(`--passphrase-fd takes the number of a descriptor, not "${fd.slice(0, 20)}".`);
  try {
    return firstLine(readFileSync(Number(fd), "utf8"));
  } catch (cause) {
    throw refused(
      `Descriptor ${fd} can't be read: ${(cause as NodeJS.ErrnoException).code}.`,
      `npx does not hand descriptors on:  node_modules/.bin/curtainwall … --passphrase-fd ${fd}  ${fd}< file    or, by npx:  < file`,
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

const enter = "\r";
const controlC = "\u0003";
const controlD = "\u0004";
const controlU = "\u0015";
const erasers: ReadonlySet<string> = new Set(["\u007f", "\b"]);

/**
 * Asks one question after the other and reads each answer key by key: the terminal itself would show it.
 *
 * It is made silent before the first question and stays so until the last answer, because somebody who
 * pastes is faster than a switch between the two.
 */
function askOnTerminal(questions: readonly string[]): Promise<string[]> {
  const { stdin, stderr } = process;
  stdin.setRawMode(true);
  stdin.setEncoding("utf8");
  return new Promise((resolve, reject) => {
    const answers: string[] = [];
    let typed: string[] = [];
    const ask = (): boolean => stderr.write(`${questions[answers.length]}: `);
    const finish = (conclude: () => void): void => {
      stdin.off("data", onData);
      stdin.setRawMode(false);
      stdin.pause();
      conclude();
    };
    const onData = (text: Buffer | string): void => {
      for (const key of String(text)) {
        if (key === enter || key === "\n" || key === controlD) {
          answers.push(typed.join(""));
          typed = [];
          say("");
          if (answers.length === questions.length) return finish(() => resolve(answers));
          ask();
        } else if (key === controlC) {
          say("");
          return finish(() => reject(refused("Interrupted.")));
        } else if (key === controlU) typed = [];
        else if (erasers.has(key)) typed.pop();
        else if (key >= " ") typed.push(key);
      }
    };
    stdin.on("data", onData);
    stdin.resume();
    ask();
  });
}

function refused(
  message: string,
  hint = "Type it on a terminal, or hand it over:  < file",
): CurtainwallError {
  return new CurtainwallError("CLI_USAGE_INVALID", message, { hint });
}
