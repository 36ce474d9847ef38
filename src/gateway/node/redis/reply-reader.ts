/** What Redis answers to one command. */
export type RedisReply = string | number | null | RedisFault | RedisReply[];

/** An answer that is an error. */
export interface RedisFault {
  /** Its first word, like `NOSCRIPT`. */
  readonly fault: string;
}

/** More than any answer to the limits' script takes. */
const maxBytes = 65_536;
const maxDepth = 4;

/** Reads answers as they come in; made by {@link createReplyReader}. */
export interface ReplyReader {
  /**
   * Takes a part of what the server sends, and gives the answers that are complete.
   *
   * @throws {Error} when it is not RESP2, or longer than any answer that was asked for
   */
  push(part: Uint8Array): RedisReply[];
}

/** Reads the answers of a Redis server (RESP2): as many as are whole, whatever parts they come in. */
export function createReplyReader(): ReplyReader {
  let waiting = "";

  /** An answer, and where it ends; undefined if it is not whole yet. */
  function read(from: number, depth: number): [RedisReply, number] | undefined {
    const end = waiting.indexOf("\r\n", from);
    if (end < 0) return undefined;
    const line = waiting.slice(from + 1, end);
    switch (waiting[from]) {
      case "+":
        return [line, end + 2];
      case "-":
        return [{ fault: /^[A-Z]{1,30}/.exec(line)?.[0] ?? "ERR" }, end + 2];
      case ":":
        return [count(line, Number.MIN_SAFE_INTEGER), end + 2];
      case "$":
        return readBulk(count(line, -1), end + 2);
      case "*":
        if (depth >= maxDepth) throw new Error("its answer is nested too deeply");
        return readList(count(line, -1), end + 2, depth + 1);
      default:
        throw new Error("it does not speak RESP2");
    }
  }

  function readBulk(length: number, from: number): [RedisReply, number] | undefined {
    if (length < 0) return [null, from];
    if (waiting.length < from + length + 2) return undefined;
    return [waiting.slice(from, from + length), from + length + 2];
  }

  function readList(length: number, from: number, depth: number): [RedisReply, number] | undefined {
    if (length < 0) return [null, from];
    const list: RedisReply[] = [];
    let at = from;
    for (let index = 0; index < length; index++) {
      const next = read(at, depth);
      if (next === undefined) return undefined;
      list.push(next[0]);
      at = next[1];
    }
    return [list, at];
  }

  return {
    push(part) {
      // Byte by byte: lengths count bytes, and nothing that is read here is anything but ASCII.
      waiting += Buffer.from(part.buffer, part.byteOffset, part.byteLength).toString("latin1");
      const replies: RedisReply[] = [];
      let at = 0;
      for (let next = read(at, 0); next !== undefined; next = read(at, 0)) {
        replies.push(next[0]);
        at = next[1];
      }
      waiting = waiting.slice(at);
      if (waiting.length > maxBytes) throw new Error("its answer is too long");
      return replies;
    },
  };
}

function count(line: string, least: number): number {
  const value = /^-?\d{1,16}$/.test(line) ? Number(line) : Number.NaN;
  if (!(value >= least)) throw new Error("it does not speak RESP2");
  return value;
}

/** Writes a command. */
export function writeCommand(...parts: readonly string[]): string {
  return `*${parts.length}\r\n${parts.map((part) => `$${Buffer.byteLength(part)}\r\n${part}\r\n`).join("")}`;
}
