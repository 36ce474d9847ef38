import { hash } from "node:crypto";

/** Where a chain stands: after how many records, and with which value. */
export interface ChainHead {
  /** Number of the last record; 0 before the first. */
  readonly seq: number;
  /** 32 bytes; zeros before the first. */
  readonly chain: Uint8Array;
}

/** The end of a chained line: `,"seq":7,"chain":"…"}`. */
export interface Link extends ChainHead {
  /** Bytes of the line that the chain's value covers, from its beginning. */
  readonly covered: number;
}

/** Adds records to a chain. */
export interface Chain {
  /** The line of a record, as `formatRecord` gives it, with its place in the chain. */
  link(line: string): string;
  head(): ChainHead;
}

/** Before the first record of a log. */
export const chainStart: ChainHead = { seq: 0, chain: new Uint8Array(32) };

/** Length of a value. */
export const chainBytes = 32;
const sequenceMark = Buffer.from(',"seq":');
/** What a chained line has before its value. No text in a record has it: there a quotation mark comes after a backslash. */
export const chainMark: Uint8Array = Buffer.from(',"chain":"');
/** The value, 43 characters of base64url, and what closes the record. */
const valueLength = 43;
export const linkBytes: number = chainMark.length + valueLength + 2;

/** Goes on with a chain from where it stands. */
export function createChain(from: ChainHead): Chain {
  const room = createRoom();
  let { seq } = from;
  let value = Buffer.from(from.chain).toString("base64url");
  return {
    link(line) {
      const body = `${line.slice(0, -2)},"seq":${++seq}`;
      const bytes = room(body.length * 3);
      bytes.write(value, 0, "base64url");
      const end = chainBytes + bytes.write(body, chainBytes);
      value = sha256Text(bytes.subarray(0, end));
      return `${body},"chain":"${value}"}\n`;
    },
    head: () => ({ seq, chain: Buffer.from(value, "base64url") }),
  };
}

/** Tells whether a line's value is SHA-256 of the value before and the record's bytes. Keeps one buffer for all. */
export type LinkCheck = (before: Uint8Array, line: Uint8Array, link: Link) => boolean;

export function createLinkCheck(): LinkCheck {
  const room = createRoom();
  return (before, line, { covered, chain }) => {
    const bytes = room(line.length);
    bytes.set(before);
    bytes.set(line, chainBytes);
    // As a text of bytes, which Node gives in half the time that it takes to give bytes.
    const value = hash("sha256", bytes.subarray(0, chainBytes + covered), "latin1");
    for (let index = 0; index < chainBytes; index++)
      if (value.charCodeAt(index) !== chain[index]) return false;
    return true;
  };
}

/**
 * Follows a chain through lines that stand in a buffer. What lies right before a line is written over.
 *
 * @param before the value before, base64url
 * @returns its value; undefined if it has another one
 */
export function nextValue(bytes: Buffer, { from, covered }: LinkSpot, before: string): string | undefined {
  bytes.write(before, from - chainBytes, "base64url");
  const value = sha256Text(bytes.subarray(from - chainBytes, covered));
  const at = covered + chainMark.length;
  for (let index = 0; index < valueLength; index++)
    if (value.charCodeAt(index) !== bytes[at + index]) return undefined;
  return value;
}

/** As text, also where bytes are needed: Node gives it in half the time that it takes to give bytes of their own. */
const sha256Text = (bytes: Uint8Array): string => hash("sha256", bytes, "base64url");

/** One buffer for all that is hashed, with room for a value and so many bytes more. */
function createRoom(): (most: number) => Buffer {
  let room = Buffer.alloc(16_384);
  return (most) => {
    if (chainBytes + most > room.length) room = Buffer.alloc(2 * (chainBytes + most));
    return room;
  };
}

/** Reads the end of a line, without its line feed. Undefined: it has no place in a chain. */
export function readLink(line: Uint8Array): Link | undefined {
  const spot = findLink(line, 0, line.length);
  if (spot === undefined) return undefined;
  const { seq, covered } = spot;
  const chain = readValue(line, covered + chainMark.length);
  return chain === undefined ? undefined : { seq, chain, covered };
}

/** A line among others that may be a record of a chain: whether its value is one was not looked at. */
export interface LinkSpot {
  readonly seq: number;
  /** Where it begins, and what the value covers ends. */
  readonly from: number;
  readonly covered: number;
}

/** The same of a line from one place to another, but for the value. */
export function findLink(bytes: Uint8Array, from: number, to: number): LinkSpot | undefined {
  const covered = to - linkBytes;
  if (covered < from + sequenceMark.length || bytes[to - 1] !== 0x7d || bytes[to - 2] !== 0x22)
    return undefined;
  for (let index = 0; index < chainMark.length; index++)
    if (bytes[covered + index] !== chainMark[index]) return undefined;
  const seq = readSequence(bytes, from, covered);
  return seq === undefined ? undefined : { seq, from, covered };
}

/** What each character of base64url stands for; -1: it is none. */
const sixBits: Int8Array = new Int8Array(256).fill(-1);
for (const [bits, character] of Buffer.from(
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
).entries())
  sixBits[character] = bits;
const bitsAt = (bytes: Uint8Array, at: number): number => sixBits[bytes[at] ?? 0] ?? -1;

/** Decodes the 43 characters from a place. One spelling alone: the last of them has two bits that stand for nothing. */
function readValue(line: Uint8Array, from: number): Uint8Array | undefined {
  const value = new Uint8Array(chainBytes);
  let at = from;
  for (let to = 0; to < chainBytes; to += 3, at += 4) {
    const isLast = to === chainBytes - 2;
    const bits =
      (bitsAt(line, at) << 18) |
      (bitsAt(line, at + 1) << 12) |
      (bitsAt(line, at + 2) << 6) |
      (isLast ? 0 : bitsAt(line, at + 3));
    // What is no character has a sign, and what has no meaning is not written.
    if (bits < 0 || (isLast && (bits & 0xff) !== 0)) return undefined;
    value[to] = bits >> 16;
    value[to + 1] = bits >> 8;
    if (!isLast) value[to + 2] = bits;
  }
  return value;
}

const mostDigits = 15;

/** Reads the number that ends before a place, and does not begin before another. */
function readSequence(bytes: Uint8Array, from: number, end: number): number | undefined {
  let seq = 0;
  let at = end;
  for (let unit = 1; at > from && end - at < mostDigits; unit *= 10) {
    const digit = (bytes[at - 1] ?? 0) - 48;
    if (digit < 0 || digit > 9) break;
    seq += digit * unit;
    at--;
  }
  const mark = at - sequenceMark.length;
  if (at === end || bytes[at] === 48 || mark < from) return undefined;
  for (let index = 0; index < sequenceMark.length; index++)
    if (bytes[mark + index] !== sequenceMark[index]) return undefined;
  return seq;
}
