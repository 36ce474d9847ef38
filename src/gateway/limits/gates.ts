import type { LimitRate, LimitStore } from "../types.ts";
import { maxLimitSpanMs, tooLong } from "./rate-limit.ts";

/** Memory that threads share for what there is one of: a route's counter, a budget, who is under way. Made by {@link createGateMemory}. */
export interface GateMemory {
  readonly buffer: SharedArrayBuffer;
  readonly counters: number;
  readonly doors: number;
  readonly threads: number;
  /** Time that the counters are relative to, in milliseconds since 1970. */
  readonly epochMs: number;
}

/** How many gates a contract has. */
export interface GateSpace {
  /** Counters that no client's flood can push out: of routes and budgets. */
  readonly counters: number;
  /** What a bounded number of requests is under way in. */
  readonly doors: number;
}

/** Options of {@link createGateMemory}. */
export interface GateMemoryOptions extends GateSpace {
  /** Threads that share it. Default 1. */
  threads?: number;
  /** The present, in milliseconds since 1970. */
  now?: number;
}

/** Lets so many in at once, on all threads. */
export interface Door {
  /** Whether there was room; then {@link leave} must follow. */
  enter(): boolean;
  leave(): void;
}

/** One thread's view of the gates. */
export interface Gates {
  /** Counts what there is one of: a limit's `id` is its place, its key says nothing. */
  readonly counters: LimitStore;
  door(id: number, most: number): Door;
  /** Notes that this thread is without the shared store, or has it back. Returns whether it is the first one, or the last. */
  noteLost(isLost: boolean): boolean;
}

const tickMs = 0.01;
/** How far apart two threads' readings of the clock may be. */
const clockSlack = 60_000 / tickMs;

/** Makes the memory for {@link openGates}. */
export function createGateMemory({
  counters,
  doors,
  threads = 1,
  now = Date.now(),
}: GateMemoryOptions): GateMemory {
  // Counters of 8 bytes; for each door what all threads have in it, and each thread; how many are without the store.
  const bytes = counters * 8 + (doors * (threads + 1) + 1) * 4;
  return { buffer: new SharedArrayBuffer(bytes), counters, doors, threads, epochMs: now };
}

/**
 * Opens the gates for one thread. What a thread of this number left behind when it died is taken back.
 *
 * @param thread its number, from 0
 */
export function openGates({ buffer, counters, doors, threads, epochMs }: GateMemory, thread = 0): Gates {
  const words = new BigInt64Array(buffer, 0, counters);
  const inside = new Int32Array(buffer, counters * 8);
  const lostAt = doors * (threads + 1);
  const ownAt = doors * (1 + thread);
  for (let id = 0; id < doors; id++) Atomics.sub(inside, id, Atomics.exchange(inside, ownAt + id, 0));

  /** The generic cell rate algorithm once more, in a word that is a counter's alone. */
  function charge(limit: LimitRate, nowMs: number, cost: number): number {
    if (limit.burst * limit.intervalMs > maxLimitSpanMs) throw tooLong();
    const interval = Math.ceil(limit.intervalMs / tickMs);
    const tolerance = (limit.burst - cost) * interval;
    const now = Math.floor((nowMs - epochMs) / tickMs);
    for (;;) {
      const seen = Atomics.load(words, limit.id);
      const seenAhead = Number(seen) - now;
      // Further ahead than the limit ever puts it: the clock was set back, and nobody is to be locked out for that.
      const ahead = seenAhead > limit.burst * interval + clockSlack ? 0 : Math.max(0, seenAhead);
      if (cost < 0 && ahead === 0) return limit.burst;
      if (ahead > tolerance) return -Math.max(1, Math.ceil((ahead - tolerance) * tickMs));
      const next = BigInt(now + Math.max(0, ahead + cost * interval));
      if (Atomics.compareExchange(words, limit.id, seen, next) === seen)
        return Math.floor((tolerance - ahead) / interval);
    }
  }

  return {
    counters: {
      take: (limit, _key, nowMs, cost = 1) => charge(limit, nowMs, cost),
      giveBack: (limit, _key, nowMs, cost = 1) => void charge(limit, nowMs, -cost),
    },
    door: (id, most) => ({
      enter() {
        for (;;) {
          const seen = Atomics.load(inside, id);
          if (seen >= most) return false;
          // Not added and taken back: meanwhile another would be refused for one that never was.
          if (Atomics.compareExchange(inside, id, seen, seen + 1) !== seen) continue;
          Atomics.add(inside, ownAt + id, 1);
          return true;
        }
      },
      leave() {
        Atomics.sub(inside, ownAt + id, 1);
        Atomics.sub(inside, id, 1);
      },
    }),
    noteLost: (isLost) => Atomics.add(inside, lostAt, isLost ? 1 : -1) === (isLost ? 0 : 1),
  };
}
