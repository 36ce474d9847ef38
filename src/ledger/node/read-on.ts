import { setImmediate } from "node:timers/promises";
import { findLink, nextValue } from "./chain.ts";
import { eventMark, mostBefore } from "./chain-event.ts";
import { lastGivenUp } from "./given-up.ts";
import type { GivenUp } from "./given-up.ts";
import { linesAfter } from "./lines-after.ts";
import type { Lines } from "./lines-after.ts";
import { bytesSince, isSame } from "./seen-records.ts";
import type { ChainPlace, Mark, SeenRecords } from "./seen-records.ts";

/** What was read of a log after what was seen of it before. */
export interface ReadOn {
  readonly seen: SeenRecords;
  /** Of what is said to be given up the furthest. */
  readonly givenUp: GivenUp | undefined;
}

/**
 * Reads on in a log from what was seen of it to a place.
 *
 * @param markBytes after how many bytes a record is marked
 * @returns undefined: not each record to there follows from the one before, or that can't be seen
 */
export async function readOn(
  path: string,
  seen: SeenRecords,
  to: ChainPlace,
  markBytes: number,
): Promise<ReadOn | undefined> {
  if (isSame(seen.last, to)) return { seen, givenUp: undefined };
  const reader = createReader(seen, to, markBytes);
  for (const lines of linesAfter(path, seen.end)) {
    const found = reader(lines);
    if (found !== "on") return found;
    await setImmediate();
  }
  return undefined;
}

function createReader(
  seen: SeenRecords,
  to: ChainPlace,
  markBytes: number,
): (lines: Lines) => ReadOn | undefined | "on" {
  let { through, head } = seen.last;
  let { bytes } = seen;
  const marks: Mark[] = [...seen.marks];
  let givenUp: GivenUp | undefined;

  /** Of all that say so the one that gives up most, and of those the last: of what is gone it is the one that speaks. */
  function readGivenUp(line: Buffer): void {
    const last = lastGivenUp(line);
    if (last === undefined || last < (givenUp?.last ?? 1)) return;
    givenUp = { saidBy: through, last, bytes: bytesSince(marks, last, bytes) };
  }

  return ({ bytes: room, from, to: end, place }) => {
    const lines = room.subarray(0, end);
    let own = lines.indexOf(eventMark, from);
    for (let start = from, next = from; start < end; start = next) {
      next = lines.indexOf(10, start) + 1;
      if (own >= 0 && own < start) own = lines.indexOf(eventMark, start);
      const link = findLink(lines, start, next - 1);
      if (link === undefined) continue;
      const value = link.seq === through + 1 ? nextValue(lines, link, head) : undefined;
      if (value === undefined) return undefined;
      [through, head] = [link.seq, value];
      bytes += next - start;
      if (bytes - (marks.at(-1)?.bytes ?? -Infinity) >= markBytes) marks.push({ seq: through, bytes });
      if (own >= start && own <= start + mostBefore) readGivenUp(lines.subarray(start, next - 1));
      if (through !== to.through) continue;
      const ended = { ...place, bytes: place.bytes + next - from };
      return head === to.head
        ? { seen: { ...seen, last: to, end: ended, bytes, marks }, givenUp }
        : undefined;
    }
    return "on";
  };
}
