import { createHash } from "node:crypto";

/** Lets through whole commands that are permitted; made by {@link createRedisCommandFilter}. */
export interface RedisCommandFilter {
  /**
   * Takes a part of what a client sends, and gives what may go on of it and of what came before.
   *
   * @throws {Error} for the first command that is not permitted, or is none; nothing may go on afterwards
   */
  push(part: Buffer): readonly Buffer[];
}

/** The longest that a command of ours can be, script and all. */
const maxCommandBytes = 65_536;
const maxKeys = 64;
const maxParts = 3 + maxKeys * 4;
const carriageReturn = 13;
const star = 42;
const dollar = 36;
const zero = 48;

/**
 * Reads commands as they pass, and permits a handful: `PING`, and `EVAL` and `EVALSHA` of the very scripts that are given, over keys that begin as
 * given. Whoever takes the edge over can count wrongly with that. It can't read what else is there, write to it, or change how the store works.
 */
export function createRedisCommandFilter({
  scripts,
  keyPrefix,
}: {
  readonly scripts: readonly string[];
  readonly keyPrefix: string;
}): RedisCommandFilter {
  const texts = new Set(scripts);
  const digests = new Set(scripts.map((script) => createHash("sha1").update(script).digest("hex")));
  let rest: Buffer = Buffer.alloc(0);

  /** Where the command that begins there ends; undefined: it is not whole yet. */
  function endOf(bytes: Buffer, from: number, parts: string[]): number | undefined {
    const head = readNumber(bytes, from, star);
    if (head === undefined) return undefined;
    const [count, start] = head;
    if (count < 1 || count > maxParts) throw new Error("a command of too many parts, or of none");
    let at = start;
    for (let index = 0; index < count; index++) {
      const size = readNumber(bytes, at, dollar);
      if (size === undefined) return undefined;
      const [length, begin] = size;
      if (length > maxCommandBytes) throw new Error("a command that is too long");
      if (bytes.length < begin + length + 2) return undefined;
      parts.push(bytes.toString("latin1", begin, begin + length));
      at = begin + length + 2;
    }
    return at;
  }

  function judge([name = "", ...args]: readonly string[]): void {
    const command = name.toUpperCase();
    if (command === "PING" && args.length === 0) return;
    if (command !== "EVAL" && command !== "EVALSHA")
      throw new Error(`the command ${/^[A-Z]{1,20}$/.test(command) ? command : "that is no name"}`);
    const [script = "", count = "", ...keys] = args;
    if (!(command === "EVAL" ? texts : digests).has(script)) throw new Error("another script than ours");
    if (!/^[1-9]\d?$/.test(count) || Number(count) > maxKeys || keys.length < Number(count))
      throw new Error("a script without its keys");
    for (const key of keys.slice(0, Number(count)))
      if (!key.startsWith(keyPrefix)) throw new Error("a key that is not ours");
  }

  return {
    push(part) {
      const bytes = rest.length === 0 ? part : Buffer.concat([rest, part]);
      let at = 0;
      for (;;) {
        const parts: string[] = [];
        const end = endOf(bytes, at, parts);
        if (end === undefined) break;
        judge(parts);
        at = end;
      }
      rest = bytes.subarray(at);
      if (rest.length > maxCommandBytes) throw new Error("a command that is too long");
      return at === 0 ? [] : [bytes.subarray(0, at)];
    },
  };
}

/** A count behind its mark, and where the line after it begins; undefined: the line is not whole yet. */
function readNumber(bytes: Buffer, from: number, mark: number): [number, number] | undefined {
  if (from >= bytes.length) return undefined;
  if (bytes[from] !== mark) throw new Error("what is no command");
  let value = 0;
  let at = from + 1;
  for (; at < bytes.length; at++) {
    const byte = bytes[at] as number;
    if (byte === carriageReturn) break;
    const digit = byte - zero;
    if (digit < 0 || digit > 9 || at - from > 8) throw new Error("what is no command");
    value = value * 10 + digit;
  }
  if (at + 1 >= bytes.length) return undefined;
  if (at === from + 1 || bytes[at + 1] !== 10) throw new Error("what is no command");
  return [value, at + 2];
}
