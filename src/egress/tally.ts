import type { EventSink, SecurityEvent } from "../contract/index.ts";

/** An event that is counted: the first few of a window are told one by one, the others as a number. */
export type CountedEvent = Extract<
  SecurityEvent,
  { type: "egress.used" | "egress.refused" | "egress.failed" }
>;

/** One that is about to be counted. */
export type Countable = CountedEvent extends infer Event
  ? Event extends CountedEvent
    ? Omit<Event, "time" | "count">
    : never
  : never;

/** Options of {@link createTally}. */
export interface TallyOptions {
  events: EventSink;
  /** The present in milliseconds since 1970. */
  now: () => number;
  /** Told one by one in a window, of those that are alike. Default 20. */
  singles?: number;
  /** Refusals of one caller that are told apart in a window; of those beyond only the number is told. Default 50. */
  maxKinds?: number;
}

/** Counts events, so that a flood of them neither fills the log nor is left out of it. */
export interface Tally {
  /** @param kind those with the same text are alike */
  note(kind: string, event: Countable): void;
  /** Tells the numbers, and begins a new window. */
  flush(): void;
}

interface Kind {
  readonly event: Countable;
  told: number;
  untold: number;
}

/** Creates a {@link Tally}. Whoever creates it flushes it from time to time. */
export function createTally({ events, now, singles = 20, maxKinds = 50 }: TallyOptions): Tally {
  let kinds = new Map<string, Kind>();
  /** How many kinds of refusals there are, by caller. */
  let refused = new Map<string, number>();
  /** How many there were beyond those kinds. */
  let others = new Map<string, number>();
  const tell = (event: Countable, count: number): void => events({ ...event, time: now(), count });

  /**
   * Whether one more kind is told apart. What is refused a caller makes up, and so has a number of its own, which hides nothing of others; all
   * else there are no more kinds of than the contract permits.
   */
  function hasRoom({ type, caller = "" }: Countable): boolean {
    if (type !== "egress.refused") return true;
    const count = (refused.get(caller) ?? 0) + 1;
    if (count <= maxKinds) refused.set(caller, count);
    return count <= maxKinds;
  }

  return {
    note(given, event) {
      const kind = kinds.get(given) ?? { event, told: 0, untold: 0 };
      if (!kinds.has(given)) {
        const { caller = "" } = event;
        if (!hasRoom(event)) return void others.set(caller, (others.get(caller) ?? 0) + 1);
        kinds.set(given, kind);
      }
      if (kind.told >= singles) return void kind.untold++;
      kind.told++;
      tell(event, 1);
    },
    flush() {
      const before = { kinds, others };
      kinds = new Map();
      others = new Map();
      refused = new Map();
      for (const { event, untold } of before.kinds.values()) if (untold > 0) tell(untimed(event), untold);
      for (const [caller, count] of before.others)
        tell({ type: "egress.refused", ...(caller === "" ? {} : { caller }) }, count);
    },
  };
}

/** How long one of them took says nothing of the others. */
const untimed = (event: Countable): Countable =>
  event.type === "egress.used" ? { ...event, tookMs: undefined } : event;
