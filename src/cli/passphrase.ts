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
  const given = fd === undefined ? await ask(`${question}: `) : readDescriptor(fd);
  if (given === "") throw refused("There is no passphrase.");
  if (isNew && given.length < minLength)
    throw refused(
      `The passphrase is shorter than ${minLength} characters. Five words that nobody says together are good.`,
    );
  if (isNew && fd === undefined && process.stdin.isTTY && (await ask("The same again: ")) !== given)
    throw refused("The two passphrases differ.");
  return new Secret(given);
}

function readDescriptor(fd: string): string {
  if (!/^\d{1,4}$/.test(fd))
    throw refused(`--passphrase-fd takes the number of a descriptor, not "${fd.slice(0, 20)}".`);
  try {
    return firstLine(readFileSync(Number(fd), "utf8"));
  } catch (cause) {
    throw refused(`Descriptor ${fd} can't be read: ${(cause as NodeJS.ErrnoException).code}.`);
  }
}

const firstLine = (text: string): string => (text.split("\n")[0] ?? "").replace(/\r$/, "");

async function ask(question: string): Promise<string> {
  const { stdin } = process;
  if (stdin.isTTY) return askOnTerminal(question);
  const lines = createInterface({ input: stdin });
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

/** Reads a line key by key: the terminal itself would show it. */
function askOnTerminal(question: string): Promise<string> {
  const { stdin, stderr } = process;
  stderr.write(question);
  stdin.setRawMode(true);
  stdin.setEncoding("utf8");
  stdin.resume();
  return new Promise((resolve, reject) => {
    let typed: string[] = [];
    const finish = (conclude: () => void): void => {
      stdin.off("data", onData);
      stdin.setRawMode(false);
      stdin.pause();
      say("");
      conclude();
    };
    const onData = (text: Buffer | string): void => {
      for (const key of String(text)) {
        if (key === enter || key === "\n" || key === controlD) return finish(() => resolve(typed.join("")));
        if (key === controlC) return finish(() => reject(refused("Interrupted.")));
        if (key === controlU) typed = [];
        else if (erasers.has(key)) typed.pop();
        else if (key >= " ") typed.push(key);
      }
    };
    stdin.on("data", onData);
  });
}

function refused(message: string): CurtainwallError {
  return new CurtainwallError("CLI_USAGE_INVALID", message, {
    hint: "Type it on a terminal, or hand it over:  --passphrase-fd 3  3< file",
  });
}
