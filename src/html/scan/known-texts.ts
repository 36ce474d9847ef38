import { isSameBytes } from "../runtime.ts";

/** Texts of scripts and styles, which the pages of a site repeat: the same bytes give the very same string, decoded once. */
export interface KnownTexts {
  /** The text of these bytes; `decode` makes it if they are new. */
  of(bytes: Uint8Array, from: number, to: number, decode: () => string): string;
}

interface KnownText {
  readonly bytes: Uint8Array;
  readonly text: string;
}

/** Shorter ones are decoded sooner than found. */
const minBytes = 64;
/** Longer ones would fill the memory. */
const maxBytes = 2 ** 16;
/** Places for texts. A new one takes the place of another that looks like it. */
const slots = 128;

/** Remembers up to 128 texts of up to 64 KiB. */
export function createKnownTexts(): KnownTexts {
  const known: (KnownText | undefined)[] = Array.from({ length: slots });
  return {
    of(bytes, from, to, decode) {
      if (to - from < minBytes || to - from > maxBytes) return decode();
      const slot = slotOf(bytes, from, to);
      const candidate = known[slot];
      if (candidate !== undefined && isSameBytes(candidate.bytes, bytes, from, to)) return candidate.text;
      const text = decode();
      known[slot] = { bytes: bytes.slice(from, to), text };
      return text;
    },
  };
}

/** From the length and a few bytes: what is different mostly differs there, and if not, is only remembered for less long. */
function slotOf(bytes: Uint8Array, from: number, to: number): number {
  let mixed = to - from;
  for (let part = 1; part <= 8; part++)
    mixed = (Math.imul(mixed, 31) + (bytes[from + (((to - from) * part) >> 3) - 1] ?? 0)) | 0;
  return (mixed ^ (mixed >>> 9)) & (slots - 1);
}
