/** What is known of a delivery that was signed rightly. */
export type ReplayVerdict =
  /** It was not here before, or was not taken then. It is under way now, until it is settled. */
  | "new"
  /** It is under way. */
  | "under-way"
  /** It was taken, and this is the very same, time and all. */
  | "replayed"
  /** It was taken, and its sender signed it anew since: our answer was lost. */
  | "repeated"
  /** There is no room to remember it. */
  | "full";

/** One delivery, as it is remembered. Times are in milliseconds since 1970. */
export interface RememberedDelivery {
  /** Alike for all copies of it. */
  readonly name: string;
  /** Tells copies that its sender signed anew. */
  readonly signed: string;
  readonly isTaken: boolean;
  /** Tells an attempt from the one before it, whose lease has ended. */
  readonly begunMs: number;
  /** Until when it is remembered, once it was taken. */
  readonly untilMs: number;
  /** Until when it counts as it is now. */
  readonly endsMs: number;
}

/** Remembers deliveries; made by {@link createReplayMemory}. */
export interface ReplayMemory {
  /**
   * Notes that one is under way, unless it was taken before.
   *
   * @param leaseMs until when it may be under way
   */
  begin(delivery: Omit<RememberedDelivery, "endsMs" | "isTaken">, leaseMs: number): ReplayVerdict;
  /** What is remembered of one attempt; undefined: nothing, or of another one. */
  find(name: string, begunMs: number): RememberedDelivery | undefined;
  /** Remembers that it was taken. */
  take(delivery: RememberedDelivery): void;
  /** Forgets one that was not taken: its sender's next attempt is new. */
  drop(delivery: RememberedDelivery): void;
  readonly size: number;
}

/** Options of {@link createReplayMemory}. */
export interface ReplayMemoryOptions {
  /** Deliveries remembered at once. Default 50 000. */
  readonly maxEntries?: number;
  /** What was remembered before, the latest word on each. */
  readonly kept?: Iterable<RememberedDelivery>;
}

/**
 * Remembers what was delivered for as long as it could be sent again, and not one moment less: when there is no room for another, that other is
 * refused. Only deliveries with a right signature come here, so no stranger can fill it.
 *
 * What is taken into account is whether the sender was told so. A delivery whose function failed is forgotten, and its next attempt is new; one
 * that is never settled, since whoever asked has died, is new again after its lease.
 */
export function createReplayMemory({
  maxEntries = 50_000,
  kept = [],
}: ReplayMemoryOptions = {}): ReplayMemory {
  const entries = new Map(
    [...kept].sort((one, other) => one.endsMs - other.endsMs).map((delivery) => [delivery.name, delivery]),
  );

  /** They come nearly in the order in which they end: what is old is at the front. */
  function dropFromFront(nowMs: number): void {
    for (const [name, { endsMs }] of entries) {
      if (endsMs > nowMs) return;
      entries.delete(name);
    }
  }

  function hasRoom(nowMs: number): boolean {
    if (entries.size < maxEntries) return true;
    for (const [name, { endsMs }] of entries) if (endsMs <= nowMs) entries.delete(name);
    return entries.size < maxEntries;
  }

  function find(name: string, begunMs: number): RememberedDelivery | undefined {
    const known = entries.get(name);
    return known?.begunMs === begunMs ? known : undefined;
  }

  return {
    get size() {
      return entries.size;
    },
    find,
    begin(delivery, leaseMs) {
      const { name, signed, begunMs: nowMs } = delivery;
      dropFromFront(nowMs);
      const known = entries.get(name);
      if (known !== undefined && known.endsMs > nowMs) {
        if (!known.isTaken) return "under-way";
        return known.signed === signed ? "replayed" : "repeated";
      }
      entries.delete(name);
      if (!hasRoom(nowMs)) return "full";
      entries.set(name, { ...delivery, isTaken: false, endsMs: leaseMs });
      return "new";
    },
    take(delivery) {
      if (find(delivery.name, delivery.begunMs) === undefined) return;
      entries.delete(delivery.name);
      // Anew, at the end: it is remembered longer than those that are under way.
      entries.set(delivery.name, taken(delivery));
    },
    drop({ name, begunMs }) {
      if (find(name, begunMs)?.isTaken === false) entries.delete(name);
    },
  };
}

/** The same, once it was taken. */
export const taken = (delivery: RememberedDelivery): RememberedDelivery => ({
  ...delivery,
  isTaken: true,
  endsMs: delivery.untilMs,
});
