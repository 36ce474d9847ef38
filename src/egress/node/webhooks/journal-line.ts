import { crc32 } from "node:zlib";
import type { RememberedDelivery } from "../../webhooks/replay-memory.ts";

/** Since when all that was taken is noted, and how long it was kept, by secret. */
export type JournalHead = Readonly<
  Record<string, { readonly sinceMs: number; readonly toleranceMs: number }>
>;

/** One line: what a file begins with, or how a delivery is. */
export type JournalLine =
  | { readonly kind: "head"; readonly atMs: number; readonly head: JournalHead }
  | DeliveryLine;

/** How a delivery is. */
export interface DeliveryLine {
  readonly kind: "delivery";
  /** When it was written, in milliseconds since 1970. */
  readonly atMs: number;
  readonly secret: string;
  readonly delivery: RememberedDelivery;
}

/** Writes a line, with a sum by which a part of one is told from a whole. */
export function formatLine(line: JournalLine): string {
  const text = JSON.stringify(line);
  return `${sumOf(text)} ${text}\n`;
}

/** Reads a line without its end; undefined: it is none. */
export function parseLine(line: string): JournalLine | undefined {
  const text = line.slice(sumLength + 1);
  if (line !== `${sumOf(text)} ${text}`) return undefined;
  try {
    // Its sum is right, so it is one that was written here.
    return JSON.parse(text) as JournalLine;
  } catch {
    return undefined;
  }
}

const sumLength = 8;
const sumOf = (text: string): string => crc32(text).toString(16).padStart(sumLength, "0");
