import type { Derived } from "./derived.ts";

/** Turns text in UTF-16 or UTF-32 into UTF-8, if bytes are such text: by their mark, or because half of them are zero. */
export function decodeWideText(source: Uint8Array): Derived | undefined {
  const widest = decodeWidest(source);
  if (widest !== undefined) return widest;
  const order = orderOf(source);
  if (order === undefined) return undefined;
  const text = new TextDecoder(order).decode(source);
  const mark = hasMark(source) ? 1 : 0;
  return {
    bytes: new TextEncoder().encode(text),
    // Exact for ASCII, which is what is looked for.
    toSource: (index) => (index + mark) * 2,
    encodings: () => ["utf-16"],
    starts: [],
  };
}

/** UTF-32, which TextDecoder does not read: in all of the first characters the upper two bytes are zero, and mostly the third. */
function decodeWidest(source: Uint8Array): Derived | undefined {
  const count = Math.min(16, source.length >> 2);
  if (count < 4) return undefined;
  const littleEndian = source[3] === 0;
  const view = new DataView(source.buffer, source.byteOffset, source.length);
  for (let index = 0; index < count; index++) {
    const code = view.getUint32(index * 4, littleEndian);
    if (code === 0 || (code > 0xff && code !== 0xfeff)) return undefined;
  }
  const bytes = new Uint8Array(source.length >> 2);
  for (let index = 0; index < bytes.length; index++) {
    const code = view.getUint32(index * 4, littleEndian);
    // What is looked for in it is ASCII.
    bytes[index] = code < 0x80 ? code : 0;
  }
  return { bytes, toSource: (index) => index * 4, encodings: () => ["utf-32"], starts: [] };
}

const hasMark = ([first, second]: Uint8Array): boolean =>
  (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);

function orderOf(source: Uint8Array): "utf-16le" | "utf-16be" | undefined {
  if (hasMark(source)) return source[0] === 0xff ? "utf-16le" : "utf-16be";
  const head = source.subarray(0, 256);
  if (head.length < 16) return undefined;
  const zeros = [0, 0];
  for (let index = 0; index < head.length; index++) if (head[index] === 0) zeros[index & 1]!++;
  const [even = 0, odd = 0] = zeros;
  const half = head.length / 2;
  if (odd > half * 0.8 && even < half * 0.1) return "utf-16le";
  return even > half * 0.8 && odd < half * 0.1 ? "utf-16be" : undefined;
}
