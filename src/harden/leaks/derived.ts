import type { LeakEncoding } from "./types.ts";

/** Bytes that were decoded from parts of others, with the way back. */
export interface Derived {
  readonly bytes: Uint8Array;
  /** Where in the source a decoded byte comes from. */
  toSource(index: number): number;
  /** How the source writes these decoded bytes. */
  encodings(from: number, to: number): LeakEncoding[];
  /** Where decoded stretches begin: what is packed may start there. */
  readonly starts: readonly number[];
}

/** A stretch of a source and where its decoded bytes begin. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
  readonly at: number;
}

/** Between two stretches in the decoded bytes, so that nothing is found that spans both. */
export const gap = 4;

/** The stretch that a decoded byte belongs to. */
export function stretchAt(stretches: readonly Stretch[], index: number): Stretch | undefined {
  let low = 0;
  let high = stretches.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((stretches[middle]?.at ?? 0) <= index) low = middle;
    else high = middle - 1;
  }
  return stretches[low];
}
