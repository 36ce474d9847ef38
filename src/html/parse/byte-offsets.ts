import type { DecodedPage } from "../text/encoding.ts";

/** Turns an offset in a page's text into the offset of the same place in its bytes. */
export function byteOffsets({ bytes, mark }: DecodedPage, text: string): (offset: number) => number {
  if (bytes.length === text.length + mark) return (offset) => offset + mark;
  const table = new Uint32Array(text.length + 1);
  let at = mark;
  for (let index = 0; index < text.length; index++) {
    table[index] = at;
    at += utf8Length(text.charCodeAt(index));
  }
  table[text.length] = at;
  return (offset) => table[offset] ?? at;
}

/** Half of a pair counts for half of the pair's four bytes. */
function utf8Length(unit: number): number {
  if (unit < 0x80) return 1;
  if (unit < 0x800) return 2;
  return unit >= 0xd800 && unit <= 0xdfff ? 2 : 3;
}
