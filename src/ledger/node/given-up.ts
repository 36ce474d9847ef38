import { readChainEvent } from "./chain-event.ts";
import type { LogBound } from "./rotate.ts";

/** What a record says was given up, and how much there is of what came then, up to that record. */
export interface GivenUp {
  readonly saidBy: number;
  /** The last record of those. */
  readonly last: number;
  bytes: number;
}

/** The last record that a line says was given up. Undefined: it says nothing of that. */
export function lastGivenUp(line: Buffer): number | undefined {
  const { event, last } = readChainEvent(line) ?? {};
  return event === "ledger.rotated" ? last : undefined;
}

/** What must come after records that are given up, in bytes. Half of what is kept: what a crash left counts in a file's size, and is in no chain. */
export const leastBytes = ({ maxFileBytes, keepFiles }: LogBound): number => (maxFileBytes * keepFiles) / 2;

export const isEnough = (givenUp: GivenUp | undefined, bound: LogBound): boolean =>
  givenUp === undefined || givenUp.bytes >= leastBytes(bound);
