import type { Packing, Unpack, Unpacked } from "./types.ts";

/** What may still be unpacked from one file. Every attempt is charged, also one that fails: the work is bounded, not only its result. */
export interface Allowance {
  /** Unpacks and charges. `too-large` too when nothing is left. */
  unpack(packing: Packing, bytes: Uint8Array): Unpacked;
  /** Unpacks what may be packed, or may only begin like it: looks at its beginning first, so that rubbish costs little. */
  tryUnpack(packing: Packing, bytes: Uint8Array): Unpacked;
  /** Charges bytes that are looked at as they are; false if nothing is left. */
  take(length: number): boolean;
}

/** An attempt costs time even where nothing comes out. */
const attemptBytes = 1024;
const beginning = 16_384;
/** Deflate's highest ratio: what a stream may have held before it broke. Other packings have no useful bound. */
const deflateRatio = 1032;

/** Makes an {@link Allowance} of so many bytes. */
export function createAllowance(unpack: Unpack, maxBytes: number): Allowance {
  let left = maxBytes;
  const charge = (length: number): void => {
    left -= attemptBytes + length;
  };
  const whole = (packing: Packing, bytes: Uint8Array): Unpacked => {
    if (left <= 0) return "too-large";
    const unpacked = unpack(packing, bytes, left);
    // What unpacks to too much took all that was allowed: the next one would take it again.
    if (unpacked === "too-large") left = 0;
    else if (unpacked === "broken")
      charge(packing === "brotli" || packing === "zstd" ? left : bytes.length * deflateRatio);
    else charge(unpacked.length);
    return unpacked;
  };
  return {
    unpack: whole,
    tryUnpack(packing, bytes) {
      if (left <= beginning) return whole(packing, bytes);
      const first = unpack(packing, bytes, beginning);
      if (first === "too-large") return whole(packing, bytes);
      charge(first === "broken" ? attemptBytes : first.length);
      return first;
    },
    take(length) {
      if (left <= 0) return false;
      charge(length);
      return true;
    },
  };
}
