import { closeSync } from "node:fs";
import { firstLinkedLine, lastLink } from "./chain-end.ts";
import { openForReading } from "./log-descriptor.ts";
import { givenUp } from "./rotate.ts";
import type { LogBound } from "./rotate.ts";

/** Records that a rotation will remove. */
export interface RemovedRange {
  readonly first: number;
  readonly last: number;
  /** The chain's value after the last of them, base64url. */
  readonly head: string;
}

/** Finds out which records a rotation would remove. Undefined: none that are in a chain. */
export function removedRange(path: string, bound: LogBound): RemovedRange | undefined {
  let range: RemovedRange | undefined;
  // The newest first: what follows lies before it.
  for (const file of givenUp(path, bound)) {
    const fd = openForReading(file);
    if (fd === undefined) continue;
    try {
      const first = firstLinkedLine(fd)?.link.seq;
      const last = lastLink(fd);
      if (first === undefined || last === undefined) continue;
      range = {
        first,
        last: range?.last ?? last.seq,
        head: range?.head ?? Buffer.from(last.chain).toString("base64url"),
      };
    } finally {
      closeSync(fd);
    }
  }
  return range;
}
