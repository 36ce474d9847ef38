import type { LeakEncoding, LeakRule } from "./types.ts";

/** What a detector says about a place in bytes. */
export interface Finding {
  readonly level: "hit" | "note";
  readonly rule: LeakRule;
  /** Where it stands in the bytes that were searched. */
  readonly from: number;
  readonly to: number;
  readonly message: string;
  readonly excerpt: string;
  readonly hint: string;
  readonly encodings?: readonly LeakEncoding[];
}

/** Looks closer at a place where one of its needles begins. */
export type Detector = (bytes: Uint8Array, start: number, needle: Uint8Array) => Finding | undefined;

/** A detector with what leads to it. */
export interface DetectorEntry {
  readonly needles: readonly Uint8Array[];
  readonly detect: Detector;
}
