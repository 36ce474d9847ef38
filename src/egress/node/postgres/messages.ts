// PostgreSQL's protocol 3.0, as far as connections begin: a type, four bytes with the length, those four with it, then the rest.
// See https://www.postgresql.org/docs/current/protocol-message-formats.html

/** A message of the server's, or of a client's after the first. */
export interface Message {
  /** One letter. */
  readonly type: string;
  readonly body: Buffer;
  /** As it came. */
  readonly bytes: Buffer;
}

/** Reads messages as they come in; made by {@link createMessageReader}. */
export interface MessageReader {
  /** @throws {Error} for a message that is longer than any that is read here */
  push(part: Buffer): void;
  /** The next whole message. Undefined: it is not here yet. */
  next(): Message | undefined;
  /** What came behind the last message that was taken. */
  rest(): Buffer;
}

const headBytes = 5;

/** Reads a server's messages, of a bounded length. */
export function createMessageReader(maxBytes: number): MessageReader {
  let waiting: Buffer = Buffer.alloc(0);
  return {
    push(part) {
      waiting = waiting.length === 0 ? part : Buffer.concat([waiting, part]);
    },
    next() {
      if (waiting.length < headBytes) return undefined;
      const length = waiting.readUInt32BE(1);
      if (length < 4 || length > maxBytes) throw new Error("a message that is too long");
      if (waiting.length < 1 + length) return undefined;
      const bytes = waiting.subarray(0, 1 + length);
      waiting = waiting.subarray(1 + length);
      return { type: String.fromCharCode(bytes[0] as number), body: bytes.subarray(headBytes), bytes };
    },
    rest: () => waiting,
  };
}

/** Writes a message. */
export function writeMessage(type: string, body: Uint8Array): Buffer {
  const bytes = Buffer.alloc(headBytes + body.length);
  bytes.write(type, 0, "latin1");
  bytes.writeUInt32BE(4 + body.length, 1);
  bytes.set(body, headBytes);
  return bytes;
}

/** Writes the first message of a client: it has no type. */
export function writeFirst(code: number, rest: Uint8Array = new Uint8Array()): Buffer {
  const bytes = Buffer.alloc(8 + rest.length);
  bytes.writeUInt32BE(bytes.length, 0);
  bytes.writeUInt32BE(code, 4);
  bytes.set(rest, 8);
  return bytes;
}

/** What a client's first message asks for. */
export const firstCodes = {
  protocol3: 196_608,
  /** 3.2: longer keys to cancel with. */
  protocol32: 196_610,
  cancel: 80_877_102,
  ssl: 80_877_103,
  gssEncryption: 80_877_104,
} as const;

/** Texts, each ended by a zero. */
export const zeroEnded = (...texts: readonly string[]): Buffer =>
  Buffer.concat(texts.flatMap((text) => [Buffer.from(text), Buffer.of(0)]));

/** The fields of an error, by their letters. */
export function readErrorFields(body: Buffer): ReadonlyMap<string, string> {
  const parts = body.toString("utf8").split("\0");
  return new Map(parts.flatMap((part) => (part === "" ? [] : [[part.charAt(0), part.slice(1)]])));
}

/** An error that ends a connection, as a client shows it. */
export function writeFatal(code: string, message: string): Buffer {
  return writeMessage(
    "E",
    Buffer.concat([zeroEnded("SFATAL", "VFATAL", `C${code}`, `M${message}`), Buffer.of(0)]),
  );
}
