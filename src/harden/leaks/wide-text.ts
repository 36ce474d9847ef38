import type { Derived } from "./derived.ts";

/** Turns text in UTF-16 into UTF-8, if bytes are such text: by their mark, or because half of them are zero. */
export function decodeWideText(source: Uint8Array): Derived | undefined {
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
