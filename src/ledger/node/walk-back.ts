import { setImmediate } from "node:timers/promises";
import { readLink } from "./chain.ts";
import type { Link } from "./chain.ts";
import { isEnough, lastGivenUp } from "./given-up.ts";
import type { GivenUp } from "./given-up.ts";
import { linesFromEnd } from "./lines-from-end.ts";
import type { LogPlace } from "./log-lines.ts";
import { isNext } from "./mark-unchained.ts";
import type { LogBound } from "./rotate.ts";
import { isAt } from "./seen-records.ts";
import type { ChainPlace, Mark, SeenRecords } from "./seen-records.ts";

/** After so many lines others get a turn. */
const linesAtOnce = 500;

/** What to look at in a log. */
export interface Question {
  readonly from: ChainPlace;
  readonly to: ChainPlace;
  readonly bound: LogBound;
  /** After how many bytes a record is marked. */
  readonly markBytes: number;
  /** A record of which is asked how much came after it. */
  readonly since?: ChainPlace | undefined;
}

/** What was seen, from the last record back. */
export interface WalkedBack {
  readonly seen: SeenRecords;
  readonly givenUp: GivenUp | undefined;
  /** Bytes of the records after the one that was asked about; of all that were read, if it is not among them. */
  readonly newBytes: number;
}

/** Reads a log from a place back to an earlier one, and as much further as what is said to be given up asks for. A text: why one does not go on from the other. */
export async function walkBack(path: string, question: Question): Promise<WalkedBack | string> {
  const at = { device: 0, inode: 0, bytes: 0 };
  const walk = createWalk(question, at);
  let lines = 0;
  for (const line of linesFromEnd(path, at)) {
    if (++lines % linesAtOnce === 0) await setImmediate();
    if (walk.endsWith(line)) break;
  }
  return walk.result();
}

interface Walk {
  /** Whether no line before this one has to be read. */
  endsWith(line: Buffer): boolean;
  result(): WalkedBack | string;
}

function createWalk({ from, to, bound, markBytes, since }: Question, at: LogPlace): Walk {
  /** Where what is read first ends. */
  let end: LogPlace | undefined;
  let after: { readonly line: Buffer; readonly link: Link } | undefined;
  let givenUp: GivenUp | undefined;
  let refusal: string | undefined;
  let isSeen = false;
  let bytes = 0;
  let newBytes: number | undefined;
  const marks: Mark[] = [];

  function refusalOf(link: Link): string | undefined {
    if (after === undefined)
      return isAt(link, to) ? undefined : `record ${to.through} is not in the log as it is said to be`;
    if (!isNext(link, after.line, after.link))
      return `record ${after.link.seq} does not follow from what was signed before`;
    return link.seq === from.through && !isAt(link, from)
      ? `record ${link.seq} is not the one that was signed before`
      : undefined;
  }

  /** Counts a record. What it says is looked at only if it was not signed before: then it was looked at. */
  function count(line: Buffer, { seq }: Link): void {
    if (seq === since?.through) newBytes = bytes;
    if (marks.length === 0 || bytes + (marks.at(-1)?.bytes ?? 0) >= markBytes)
      marks.push({ seq, bytes: -bytes });
    const given = isSeen ? undefined : lastGivenUp(line);
    // Of all that say so the one that gives up most: of what is gone it is the one that speaks.
    if (given !== undefined && given > (givenUp?.last ?? 0)) givenUp = { saidBy: seq, last: given, bytes: 0 };
    if (givenUp !== undefined && seq > givenUp.last) givenUp.bytes += line.length + 1;
    bytes += line.length + 1;
  }

  return {
    endsWith(line) {
      const link = readLink(line);
      if (link === undefined || (end === undefined && link.seq > to.through)) return false;
      refusal = refusalOf(link);
      if (refusal !== undefined) return true;
      end ??= { ...at, bytes: at.bytes + line.length + 1 };
      isSeen ||= link.seq === from.through;
      count(line, link);
      after = { line, link };
      if (!isSeen) return link.seq < from.through;
      return isEnough(givenUp, bound) || link.seq <= (givenUp?.last ?? 0);
    },
    result() {
      if (refusal !== undefined) return refusal;
      if (!isSeen || end === undefined)
        return `record ${from.through}, which was signed before, is not in the log any more, so it can't be seen that this one goes on from it`;
      if (givenUp !== undefined && !isEnough(givenUp, bound)) return untrue(givenUp, bound);
      const seen = { last: to, end, bytes: 0, marks: marks.toReversed(), from: [from] };
      return { seen, givenUp, newBytes: newBytes ?? bytes };
    },
  };
}

const untrue = ({ saidBy, last, bytes }: GivenUp, { maxFileBytes, keepFiles }: LogBound): string =>
  `record ${saidBy} says that all up to record ${last} was given up for newer records; those are ${bytes} bytes, and the log keeps ${maxFileBytes * keepFiles}: it did not do that`;
