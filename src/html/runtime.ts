/** What Node's bytes can do that the Web's can't, or only slowly. Absent elsewhere: then the Web's way is taken. */
interface NodeBytes {
  readonly isUtf8: (bytes: Uint8Array) => boolean;
  readonly Buffer: {
    readonly prototype: Record<"latin1Slice" | "utf8Slice", Slice> & {
      readonly compare: Compare;
      readonly indexOf: IndexOf;
    };
  };
}

type Compare = (this: Uint8Array, other: Uint8Array, otherFrom: number, otherTo: number) => number;
type IndexOf = (this: Uint8Array, byte: number, from: number) => number;
type Slice = (this: Uint8Array, from: number, to: number) => string;

interface NodeProcess {
  readonly getBuiltinModule?: (name: "node:buffer") => NodeBytes | undefined;
}

const node = (globalThis as { process?: NodeProcess }).process?.getBuiltinModule?.("node:buffer");

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Tells whether bytes are valid UTF-8. */
export const isUtf8: (bytes: Uint8Array) => boolean =
  node?.isUtf8 ??
  ((bytes) => {
    try {
      strict.decode(bytes);
      return true;
    } catch {
      return false;
    }
  });

/** One character for each byte, the one of the same number. */
export const latin1: (bytes: Uint8Array, from: number, to: number) => string =
  node === undefined
    ? slowLatin1
    : (bytes, from, to) => node.Buffer.prototype.latin1Slice.call(bytes, from, to);

function slowLatin1(bytes: Uint8Array, from: number, to: number): string {
  let text = "";
  // As many arguments as every engine takes.
  for (let at = from; at < to; at += 4096)
    text += String.fromCharCode(...bytes.subarray(at, Math.min(at + 4096, to)));
  return text;
}

/** The text of valid UTF-8. */
export const utf8: (bytes: Uint8Array, from: number, to: number) => string =
  node === undefined
    ? (bytes, from, to) => strict.decode(bytes.subarray(from, to))
    : (bytes, from, to) => node.Buffer.prototype.utf8Slice.call(bytes, from, to);

/** Tells whether a stretch of some bytes equals others. */
export const isSameBytes: (bytes: Uint8Array, others: Uint8Array, from: number, to: number) => boolean =
  node === undefined
    ? (bytes, others, from, to) =>
        bytes.length === to - from && bytes.every((byte, index) => byte === others[from + index])
    : (bytes, others, from, to) =>
        bytes.length === to - from && node.Buffer.prototype.compare.call(bytes, others, from, to) === 0;

/** Where a byte stands next; -1 if it doesn't. */
export const indexOfByte: (bytes: Uint8Array, byte: number, from: number) => number =
  node === undefined
    ? (bytes, byte, from) => bytes.indexOf(byte, from)
    : (bytes, byte, from) => node.Buffer.prototype.indexOf.call(bytes, byte, from);

/** Tells whether every character of a short text is one of ASCII's: asking the runtime would take longer. */
export function isAsciiText(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 0x7f) return false;
  return true;
}
