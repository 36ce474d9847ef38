import type { Rate } from "../contract/index.ts";
import { createFairQueue } from "../shared/index.ts";

/** Options of {@link createGate}. */
export interface GateOptions {
  /** How many may be inside at once. */
  concurrency: number;
  /** How many callers there are that may ask. Each has a share of the places kept for it. Default 1. */
  callers?: number;
  /** How often one may go in. Undefined: as often as there is room. */
  rate: Rate | undefined;
  /** How many may wait; beyond that, whoever has most waiting loses one. Default 1 024. */
  maxWaiting?: number;
  /** Milliseconds that only grow, whatever the clock does. */
  elapsed: () => number;
  /** Runs something later. Returns what calls it off. */
  schedule: (delayMs: number, run: () => void) => () => void;
}

/** Lets so many in at once, and so often; callers take turns. */
export interface Gate {
  /**
   * Asks for a place.
   *
   * @param caller whose turn it is to be
   * @param enter called once there is a place, at once or later
   * @param leave called instead when there is no room to wait
   * @returns gives the place back, or the wait up. May be called twice
   */
  ask(caller: string, enter: () => void, leave: () => void): () => void;
  /** Those inside. */
  inside(): number;
}

/**
 * Opens a gate before one service. One caller that asks for a thousand things does not keep another from its first: half of the places are kept
 * for all callers alike, the others are for whoever comes. A caller that holds less than its share never waits for another's slow requests.
 */
export function createGate({
  concurrency,
  callers = 1,
  rate,
  maxWaiting = 1024,
  elapsed,
  schedule,
}: GateOptions): Gate {
  /** A line for each caller, since one may have to wait while another may not. */
  const queue = createFairQueue(maxWaiting);
  /** Who waits; whose turn it is comes first. */
  const turns = new Set<string>();
  const places = createPlaces(concurrency, callers);
  /** When the allowance is whole again (GCRA). */
  let whole = 0;
  let callOff: (() => void) | undefined;
  const stepMs = rate === undefined ? 0 : (rate.windowSeconds * 1000) / rate.count;

  /** How long until the next may go in, by its rate. */
  const delay = (): number =>
    rate === undefined ? 0 : Math.max(0, whole - (rate.burst - 1) * stepMs - elapsed());

  function admit(caller: string): void {
    places.take(caller);
    if (rate !== undefined) whole = Math.max(whole, elapsed()) + stepMs;
  }

  /** The first of those who wait that there is a place for. */
  function nextCaller(): string | undefined {
    for (const caller of turns)
      if (!queue.has(caller)) turns.delete(caller);
      else if (places.hasOneFor(caller)) return caller;
    return undefined;
  }

  function next(): void {
    for (let caller = nextCaller(); caller !== undefined; caller = nextCaller()) {
      const waitMs = delay();
      if (waitMs > 0) return wakeIn(waitMs);
      const first = queue.next(caller);
      // Behind the others, if it has more.
      turns.delete(caller);
      if (queue.has(caller)) turns.add(caller);
      if (first === undefined) continue;
      admit(caller);
      first.pass();
    }
  }

  function wakeIn(waitMs: number): void {
    if (callOff !== undefined) return;
    callOff = schedule(Math.ceil(waitMs), () => {
      callOff = undefined;
      next();
    });
  }

  return {
    ask(caller, enter, leave) {
      let state: "waiting" | "inside" | "over" = "waiting";
      const pass = (): void => {
        state = "inside";
        enter();
      };
      const gone = (): void => {
        state = "over";
        leave();
      };
      const isFree =
        places.hasOneFor(caller) && !queue.has(caller) && nextCaller() === undefined && delay() === 0;
      const giveUp = isFree ? undefined : queue.add(caller, caller, { pass, leave: gone });
      if (isFree) {
        admit(caller);
        pass();
      } else if (giveUp === undefined) gone();
      else {
        turns.add(caller);
        next();
      }
      return () => {
        const before = state;
        state = "over";
        if (before === "waiting") giveUp?.();
        if (before !== "inside") return;
        places.giveBack(caller);
        next();
      };
    },
    inside: () => places.taken(),
  };
}

/** So many places, of which each caller has some that no other gets. */
interface Places {
  hasOneFor(caller: string): boolean;
  take(caller: string): void;
  giveBack(caller: string): void;
  taken(): number;
}

function createPlaces(count: number, callers: number): Places {
  const share = Math.max(1, Math.floor(count / (2 * callers)));
  /** With fewer places than callers not all can have one kept: then half of the places are not for those who hold some. */
  const mostKept = count >= callers ? count : Math.floor(count / 2);
  /** By caller, those that hold any. */
  const held = new Map<string, number>();
  let taken = 0;
  /** Of what is taken, that which is part of somebody's share. */
  let ofShares = 0;

  return {
    hasOneFor(caller) {
      const free = count - taken;
      if ((held.get(caller) ?? 0) < share) return free > 0;
      return free > Math.max(0, Math.min(mostKept, callers * share - ofShares));
    },
    take(caller) {
      const before = held.get(caller) ?? 0;
      held.set(caller, before + 1);
      taken++;
      if (before < share) ofShares++;
    },
    giveBack(caller) {
      const after = (held.get(caller) ?? 0) - 1;
      if (after > 0) held.set(caller, after);
      else held.delete(caller);
      taken--;
      if (after < share) ofShares--;
    },
    taken: () => taken,
  };
}
