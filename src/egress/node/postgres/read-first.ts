import type { Socket } from "node:net";
import { firstCodes } from "./messages.ts";
import { readPart } from "./read-part.ts";

/** What a client wants, from its first message. */
export type FirstMessage =
  | {
      readonly kind: "startup";
      /** Of the protocol, behind its 3. */
      readonly minor: number;
      readonly settings: ReadonlyMap<string, string>;
      /** What came behind it. */
      readonly rest: Buffer;
    }
  | { readonly kind: "cancel"; readonly key: Buffer }
  | { readonly kind: "refused"; readonly reason: string };

/** As PostgreSQL has it (`MAX_STARTUP_PACKET_LENGTH`). */
const maxBytes = 10_000;
/** Once for each kind of encryption. */
const maxAsked = 2;

/** What a client may set from the first message on: nothing of it changes who it is, or what its names mean. */
const settable: ReadonlySet<string> = new Set([
  "application_name",
  "client_encoding",
  "datestyle",
  "extra_float_digits",
  "idle_in_transaction_session_timeout",
  "intervalstyle",
  "lock_timeout",
  "statement_timeout",
  "timezone",
]);

/**
 * Reads how a client begins. Encryption is declined, since its socket leads nowhere else. It may name the user and the database that it gets, and no
 * others.
 */
export async function readFirst(
  client: Socket,
  own: { readonly user: string; readonly database: string },
): Promise<FirstMessage> {
  let bytes: Buffer = Buffer.alloc(0);
  for (let asked = 0; ;) {
    const length = bytes.length < 8 ? undefined : bytes.readUInt32BE(0);
    if (length !== undefined && (length < 8 || length > maxBytes))
      return refuse("this is no PostgreSQL client");
    if (length === undefined || bytes.length < length) {
      bytes = Buffer.concat([bytes, await readPart(client)]);
      continue;
    }
    const code = bytes.readUInt32BE(4);
    const body = bytes.subarray(8, length);
    const rest = bytes.subarray(length);
    if (code === firstCodes.cancel) return { kind: "cancel", key: body };
    if (code === firstCodes.protocol3 || code === firstCodes.protocol32)
      return readStartup(body, { rest, minor: code - firstCodes.protocol3 }, own);
    const isEncryption = length === 8 && (code === firstCodes.ssl || code === firstCodes.gssEncryption);
    if (!isEncryption || rest.length > 0 || asked++ >= maxAsked)
      return refuse("this is no PostgreSQL client");
    client.write("N");
    bytes = Buffer.alloc(0);
  }
}

function readStartup(
  body: Buffer,
  more: { readonly rest: Buffer; readonly minor: number },
  own: { readonly user: string; readonly database: string },
): FirstMessage {
  // Pairs of texts, and a zero at the end.
  const texts = body.toString("utf8").split("\0");
  if (texts.length % 2 !== 0 || texts.at(-1) !== "" || texts.at(-2) !== "")
    return refuse("this is no PostgreSQL client");
  const settings = new Map<string, string>();
  for (let index = 0; index < texts.length - 2; index += 2) {
    const name = texts[index] ?? "";
    const value = texts[index + 1] ?? "";
    if (name === "user" || name === "database") {
      if (value !== own[name]) return refuse(`another ${name} than the connection's`);
    } else if (settable.has(name.toLowerCase()) && !settings.has(name.toLowerCase()))
      settings.set(name.toLowerCase(), value);
    else return refuse(`the option ${/^[A-Za-z_.]{1,40}$/.test(name) ? name : "that is no name"}`);
  }
  return { kind: "startup", settings, ...more };
}

const refuse = (reason: string): FirstMessage => ({ kind: "refused", reason });
