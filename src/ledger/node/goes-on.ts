import { isEnough, leastBytes } from "./given-up.ts";
import { createLogPace } from "./log-pace.ts";
import type { LogPace, PaceLook } from "./log-pace.ts";
import { readOn } from "./read-on.ts";
import type { LogBound } from "./rotate.ts";
import { isSame, markEvery, pruned } from "./seen-records.ts";
import type { ChainPlace, SeenRecords } from "./seen-records.ts";
import { walkBack } from "./walk-back.ts";
import type { WalkedBack } from "./walk-back.ts";

/** A log that comes round in less is no history any more. */
const shortHistoryMs = 86_400_000;

/** Looks into a log again and again; made by {@link watchLog}. */
export interface LogWatch {
  /**
   * Looks at the records between two places of the log: each must follow from the one before. If one of them says that older records were given up, what
   * came since must be what pushes records out of a log with this bound. One question at a time.
   *
   * @returns undefined if the later place goes on from the earlier one; else why it does not, or why that can't be seen
   */
  whyNotGoingOn(from: ChainPlace, to: ChainPlace): Promise<string | undefined>;
}

/** What pushes records out of a log: much in little time. */
export interface LogFlood {
  /** The last record that was given up for it. */
  readonly through: number;
  /** Half of what the log keeps, and in how little time as much was written. */
  readonly bytes: number;
  readonly withinMs: number;
}

/** How fast a log was written, as who watched it saw. */
export interface RememberedPace {
  /** Up to where it was looked at. */
  readonly last: ChainPlace;
  readonly looks: readonly PaceLook[];
}

/** Keeps the pace of a log, so that a restart does not forget it. */
export interface PaceMemory {
  /** Undefined: nothing is remembered. Asked once. */
  read(): RememberedPace | undefined;
  write(pace: RememberedPace): void;
}

/** Options of {@link watchLog}. */
export interface LogWatchOptions {
  readonly path: string;
  readonly bound: LogBound;
  /** Called when records were given up, and half of what the log keeps was written in less than a day, by the clock of who watches. Default: nothing. */
  readonly onFlood?: ((flood: LogFlood) => void) | undefined;
  /** Default: none, and a flood that began before this is not seen as one. */
  readonly paceMemory?: PaceMemory | undefined;
  /** The present in milliseconds since 1970. Default `Date.now`. */
  readonly now?: (() => number) | undefined;
}

/**
 * Watches a log. It remembers what it saw, and reads on from there: each record once, also where the log is full and gives up records again and again. Where
 * that does not show what is asked, it is looked for from the end back, as when nothing was seen yet.
 */
export function watchLog({
  path,
  bound,
  onFlood = () => undefined,
  paceMemory,
  now = Date.now,
}: LogWatchOptions): LogWatch {
  const least = leastBytes(bound);
  const markBytes = markEvery(least);
  let pace: LogPace | undefined;
  /** Up to where the pace is known. */
  let paced: ChainPlace | undefined;
  let seen: SeenRecords | undefined;

  /** Goes on from what was seen before this was started. */
  function openPace(): LogPace {
    const remembered = paceMemory?.read();
    paced = remembered?.last;
    return createLogPace({ bytes: least, withinMs: shortHistoryMs, before: remembered?.looks });
  }

  /** Undefined: from what was seen it can't be told. */
  async function lookOn(from: ChainPlace, to: ChainPlace): Promise<WalkedBack | undefined> {
    if (seen === undefined || !seen.from.some((one) => isSame(one, from))) return undefined;
    const on = await readOn(path, seen, to, markBytes);
    if (on === undefined || !isEnough(on.givenUp, bound)) return undefined;
    return { ...on, newBytes: on.seen.bytes - seen.bytes };
  }

  return {
    async whyNotGoingOn(from, to) {
      pace ??= openPace();
      const since = paced;
      const found = (await lookOn(from, to)) ?? (await walkBack(path, { from, to, bound, markBytes, since }));
      if (typeof found === "string") return found;
      seen = pruned({ ...found.seen, from: [...found.seen.from, from, to] }, least);
      // What was there before the first look may be of any age.
      const withinMs = pace.add(since === undefined ? undefined : found.newBytes, now());
      paced = found.seen.last;
      paceMemory?.write({ last: paced, looks: pace.looks() });
      const through = found.givenUp?.last;
      if (withinMs !== undefined && through !== undefined) onFlood({ through, bytes: least, withinMs });
      return undefined;
    },
  };
}
