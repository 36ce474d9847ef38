import { Buffer, isUtf8 } from "node:buffer";
import { CurtainwallError, revealSecret } from "../../shared/index.ts";
import { forbidCoreDumps } from "../../stack/index.ts";
import { askTwice } from "./passphrase.ts";
import { say } from "../voice.ts";

/** The vault takes no longer ones. */
const maxValueBytes = 65_536;

/**
 * Reads a secret's value: asked for twice on a terminal, without showing it, else all of stdin. Whoever gets it overwrites it.
 *
 * @throws {CurtainwallError} `CLI_USAGE_INVALID` when there is none, the two differ, or it is no text
 */
export async function readSecretValue(name: string): Promise<Buffer> {
  forbidCoreDumps();
  const value = process.stdin.isTTY
    ? Buffer.from(revealSecret(await askTwice(`Value of ${name}`)))
    : withoutNewline(await readAll());
  if (value.length === 0) throw refused("There is no value.");
  if (!isUtf8(value) || value.includes(0))
    throw refused("The value is not text (UTF-8).", "Encode it the way its service expects, base64 for one");
  return value;
}

async function readAll(): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > maxValueBytes + 2) throw refused(`The value is longer than ${maxValueBytes} bytes.`);
  }
  const all = Buffer.concat(chunks);
  for (const chunk of chunks) chunk.fill(0);
  return all;
}

/** What `echo` and editors put at the end is not part of the value; more than one newline is. */
function withoutNewline(all: Buffer): Buffer {
  if (all.at(-1) !== 0x0a) return all;
  say("The newline at its end is not part of the value.");
  return all.subarray(0, all.at(-2) === 0x0d ? -2 : -1);
}

function refused(
  message: string,
  hint = "Type it on a terminal, or hand it over:  < file",
): CurtainwallError {
  return new CurtainwallError("CLI_USAGE_INVALID", message, { hint });
}
