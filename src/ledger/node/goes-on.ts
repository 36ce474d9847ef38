import { setImmediate } from "node:timers/promises";
import type { CheckpointClaim } from "../checkpoint.ts";
import { readLink } from "./chain.ts";
import type { Link } from "./chain.ts";
import { readChainEvent } from "./chain-event.ts";
import { linesFromEnd } from "./lines-from-end.ts";
import { isNext } from "./mark-unchained.ts";
import type { LogBound } from "./rotate.ts";

/** After so many lines others get a turn. */
const linesAtOnce = 500;

/**
 * Looks at the records between two places of a log, from the later one back: each must follow from the one before. If one of them says that older
 * records were given up, what is there since must be what pushes records out of a log with this bound.
 *
 * @returns undefined if the later place goes on from the earlier one; else why it does not, or why that can't be seen
 */
export async function whyNotGoingOn(
  path: string,
  from: Pick<CheckpointClaim, "through" | "head">,
  to: Pick<CheckpointClaim, "through" | "head">,
  bound: LogBound,
): Promise<string | undefined> {
  let after: { line: Buffer; link: Link } | undefined;
  let removal: Removal | undefined;
  let isSeen = false;
  let lines = 0;
  for (const line of linesFromEnd(path)) {
    if (++lines % linesAtOnce === 0) await setImmediate();
    const link = readLink(line);
    if (link === undefined || (after === undefined && link.seq > to.through)) continue;
    if (after === undefined) {
      if (link.seq !== to.through || text64(link) !== to.head)
        return `record ${to.through} is not in the log as it is said to be`;
    } else if (!isNext(link, after.line, after.link))
      return `record ${after.link.seq} does not follow from what was signed before`;
    if (link.seq === from.through && text64(link) !== from.head)
      return `record ${link.seq} is not the one that was signed before`;
    isSeen ||= link.seq === from.through;
    // What was signed before was looked at then.
    if (!isSeen) removal = furthest(removal, line, link.seq);
    if (removal !== undefined && link.seq > removal.last) removal.bytes += line.length + 1;
    const isJudged = removal === undefined || removal.bytes >= leastBytes(bound) || link.seq <= removal.last;
    if (isSeen && isJudged) break;
    if (!isSeen && link.seq < from.through) break;
    after = { line, link };
  }
  if (!isSeen)
    return `record ${from.through}, which was signed before, is not in the log any more, so it can't be seen that this one goes on from it`;
  if (removal === undefined || removal.bytes >= leastBytes(bound)) return undefined;
  return `record ${removal.saidBy} says that all up to record ${removal.last} was given up for newer records; those are ${removal.bytes} bytes, and the log keeps ${bound.maxFileBytes * bound.keepFiles}: it did not do that`;
}

/** What a record says was given up, and how much there is of what came then, up to that record. */
interface Removal {
  readonly saidBy: number;
  readonly last: number;
  bytes: number;
}

/** Of all that say so the one that gives up most: of what is gone it is the one that speaks. */
function furthest(known: Removal | undefined, line: Buffer, saidBy: number): Removal | undefined {
  const { event, last } = readChainEvent(line) ?? {};
  if (event !== "ledger.rotated" || last === undefined || last <= (known?.last ?? 0)) return known;
  return { saidBy, last, bytes: 0 };
}

/** Half of it: what a crash left counts in a file's size, and is in no chain. */
const leastBytes = ({ maxFileBytes, keepFiles }: LogBound): number => (maxFileBytes * keepFiles) / 2;

const text64 = ({ chain }: Link): string => Buffer.from(chain).toString("base64url");
