import { CurtainwallError } from "../../shared/index.ts";
import { createKeyedHash } from "./keyed-hash.ts";
import type { LimitRate, LimitStore } from "../types.ts";

/** Memory that threads share to count requests together; made by {@link createLimitMemory}. */
export interface LimitMemory {
  readonly buffer: SharedArrayBuffer;
  /** Key of the hash that places clients, so that nobody can choose which client to push out. */
  readonly seed: readonly [number, number];
  /** Time that the counters are relative to, in milliseconds since 1970. */
  readonly epochMs: number;
}

/** Options of {@link createLimitMemory}. */
export interface LimitMemoryOptions {
  /**
   * Counters remembered at once, one for each client (or user) and limit: 1 000 to 10 000 000. Each takes 8 to 16 bytes.
   * When there are more, the one whose allowance is whole again, or nearest to it, is forgotten. Default 100 000.
   */
  maxClients?: number;
  /** The present, in milliseconds since 1970. */
  now?: number;
}

/** Longest time that a limit's whole burst may take to be regained. */
export const maxLimitSpanMs = 31 * 86_400_000;

/** Counters that share a place. */
const ways = 8;
const tickMs = 0.01;
const timeBits = 40;
const timeRange = 2 ** timeBits;
/** A time further ahead than any limit reaches is one that has long passed and wrapped around. */
const maxAhead = 2 ** 38;
/** How far apart two threads' readings of the clock may be when they meet in one counter. */
const clockSlack = 60_000 / tickMs;

/**
 * Makes the memory for {@link createLimitStore}. Every thread makes its own store over the same memory.
 *
 * @throws {CurtainwallError} `GATEWAY_OPTION_INVALID` if an option is out of range
 */
export function createLimitMemory({
  maxClients = 100_000,
  now = Date.now(),
}: LimitMemoryOptions = {}): LimitMemory {
  if (!Number.isInteger(maxClients) || maxClients < 1000 || maxClients > 10_000_000)
    throw new CurtainwallError(
      "GATEWAY_OPTION_INVALID",
      `maxClients must be a whole number from 1000 to 10000000, not ${maxClients}.`,
    );
  const sets = 2 ** Math.ceil(Math.log2(maxClients / ways));
  const [first = 0, second = 0] = crypto.getRandomValues(new Uint32Array(2));
  return { buffer: new SharedArrayBuffer(sets * ways * 8), seed: [first, second], epochMs: now };
}

/**
 * Counts requests by the generic cell rate algorithm (GCRA), exactly, however many threads share the memory: a counter is
 * one 64-bit word (24 bits that name the client and the limit, 40 that say when the allowance is whole again, in steps of
 * 10 µs) and changes by compare-and-swap.
 *
 * Two counters in one place that agree in the 24 bits are taken for one: with the memory full, about one lookup in two
 * million. A clock that is set back costs a client no more than its limit's own span.
 *
 * @throws {CurtainwallError} `GATEWAY_OPTION_INVALID` from `take`, for a limit that spans more than 31 days
 * @see ITU-T I.371 (GCRA)
 */
export function createLimitStore({ buffer, seed, epochMs }: LimitMemory): LimitStore {
  const words = new BigInt64Array(buffer);
  // Reading half a word costs no BigInt. Low half first, as on every machine that Node runs threads on.
  const halves = new Int32Array(buffer);
  const setMask = words.length / ways - 1;
  const hash = createKeyedHash(seed);
  const scratch = new Int32Array(4);
  const scratchWords = new BigInt64Array(scratch.buffer);

  /** Puts a new word in a place if it still holds what was seen there. */
  function swap(place: number, low: number, high: number, next: number, tag: number): boolean {
    scratch[0] = low;
    scratch[1] = high;
    scratch[2] = next | 0;
    scratch[3] = (tag << 8) | (next / 2 ** 32);
    const expected = scratchWords[0] as bigint;
    return Atomics.compareExchange(words, place, expected, scratchWords[1] as bigint) === expected;
  }

  /** Charges a cost, or gives it back where it is negative: then nothing is refused, and a counter that is not there stays away. */
  function charge(limit: LimitRate, key: string, nowMs: number, cost: number): number {
    const interval = Math.ceil(limit.intervalMs / tickMs);
    const tolerance = (limit.burst - cost) * interval;
    if (limit.burst * limit.intervalMs > maxLimitSpanMs) throw tooLong();
    const now = wrapped(Math.floor((nowMs - epochMs) / tickMs));
    hash(limit.id, key);
    const base = (hash.low & setMask) * ways;
    const tag = hash.high & 0xffffff || 1;

    for (;;) {
      // Find the counter, or the place that it may take: an empty one, else the one whole again longest.
      let place = base;
      let low = 0;
      let high = 0;
      let placeAhead = Number.POSITIVE_INFINITY;
      let found = false;
      for (let index = base; index < base + ways && !found; index++) {
        const itsLow = Atomics.load(halves, index * 2);
        const itsHigh = Atomics.load(halves, index * 2 + 1);
        found = itsHigh >>> 8 === tag;
        const ahead = itsHigh === 0 ? -timeRange : aheadOf((itsHigh & 0xff) * 2 ** 32 + (itsLow >>> 0), now);
        if (found || ahead < placeAhead) {
          place = index;
          low = itsLow;
          high = itsHigh;
          placeAhead = ahead;
        }
      }
      // Further ahead than this limit ever puts it: a time that wrapped around, or a clock that was set back.
      const isOurs = found && placeAhead <= limit.burst * interval + clockSlack;
      const ahead = isOurs ? Math.max(0, placeAhead) : 0;
      if (cost < 0 && ahead === 0) return limit.burst;
      if (ahead > tolerance) {
        // The halves were read one after the other: refuse only by a word that was there as a whole.
        if (Atomics.load(halves, place * 2) !== low) continue;
        return -Math.max(1, Math.ceil((ahead - tolerance) * tickMs));
      }
      // What was seen is what must be there still: another thread may just have counted this very client.
      if (swap(place, low, high, wrapped(now + Math.max(0, ahead + cost * interval)), tag))
        return Math.floor((tolerance - ahead) / interval);
    }
  }

  return {
    take: (limit, key, nowMs, cost = 1) => charge(limit, key, nowMs, cost),
    giveBack: (limit, key, nowMs, cost = 1) => void charge(limit, key, nowMs, -cost),
  };
}

/** A time within the range of the words, which a clock that was set back could leave. */
function wrapped(time: number): number {
  const rest = time % timeRange;
  return rest < 0 ? rest + timeRange : rest;
}

/** How far a time lies ahead of now, in ticks; negative if it has passed. */
function aheadOf(time: number, now: number): number {
  const ahead = wrapped(time - now);
  return ahead > maxAhead ? ahead - timeRange : ahead;
}

/** The error for a limit whose burst takes longer to be regained than the counters can tell. */
export function tooLong(): CurtainwallError {
  return new CurtainwallError("GATEWAY_OPTION_INVALID", "A limit may span 31 days at most.", {
    hint: 'Lower its burst, or write a shorter window: "1000/day per client"',
  });
}
