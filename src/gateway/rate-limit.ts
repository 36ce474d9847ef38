import { CurtainwallError } from "../shared/index.ts";
import { createKeyedHash } from "./keyed-hash.ts";
import type { LimitRate, LimitStore } from "./types.ts";

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
  /** Clients remembered at once, at least 1000. Takes 8 to 16 bytes each. Default 100 000. */
  maxClients?: number;
  /** The present, in milliseconds since 1970. */
  now?: number;
}

/** Clients that share a place; the one whose allowance was used up longest ago gives way. */
const ways = 8;
const tickMs = 0.01;
const timeBits = 40;
const timeRange = 2 ** timeBits;
/** A time further ahead than any limit reaches is one that has long passed and wrapped around. */
const maxAhead = 2 ** 38;

/** Makes the memory for {@link createLimitStore}. Every thread makes its own store over the same memory. */
export function createLimitMemory({
  maxClients = 100_000,
  now = Date.now(),
}: LimitMemoryOptions = {}): LimitMemory {
  const sets = 2 ** Math.max(7, Math.ceil(Math.log2(maxClients / ways)));
  const [first = 0, second = 0] = crypto.getRandomValues(new Uint32Array(2));
  return { buffer: new SharedArrayBuffer(sets * ways * 8), seed: [first, second], epochMs: now };
}

/**
 * Counts requests by the generic cell rate algorithm (GCRA), exactly, however many threads share the memory: a client's
 * state is one 64-bit word (24 bits that name the client, 40 that say when its allowance is whole again, in steps of 10 µs)
 * and changes by compare-and-swap.
 *
 * Two clients in one place that agree in the 24 bits are taken for one: with the memory full, about one lookup in two million.
 *
 * @throws {CurtainwallError} `GATEWAY_OPTION_INVALID` from `take`'s first use of a limit that spans more than 31 days.
 * @see ITU-T I.371 (GCRA)
 */
export function createLimitStore({ buffer, seed, epochMs }: LimitMemory): LimitStore {
  const words = new BigInt64Array(buffer);
  const halves = new Int32Array(buffer);
  const setMask = words.length / ways - 1;
  const hash = createKeyedHash(seed);
  const scratch = new Int32Array(2);
  const scratchWord = new BigInt64Array(scratch.buffer);
  const wordOf = (low: number, high: number): bigint => {
    scratch[0] = low;
    scratch[1] = high;
    return scratchWord[0] ?? 0n;
  };

  return {
    take(limit: LimitRate, key: string, nowMs: number): number {
      const interval = Math.ceil(limit.intervalMs / tickMs);
      const tolerance = (limit.burst - 1) * interval;
      if (tolerance + interval > maxAhead) throw tooLong();
      const now = Math.floor((nowMs - epochMs) / tickMs) % timeRange;
      hash(limit.id, key);
      const base = (hash.low & setMask) * ways;
      const tag = (hash.high & 0xffffff) | 1;

      for (;;) {
        // Find the client, or the place that it may take: an empty one, else the one whole again longest.
        let place = -1;
        let placeAhead = 0;
        let found = false;
        for (let index = base; index < base + ways; index++) {
          const high = Atomics.load(halves, index * 2 + 1);
          if (high >>> 8 === tag) {
            [place, found] = [index, true];
            break;
          }
          const ahead = high === 0 ? -timeRange : aheadOf((high & 0xff) * 2 ** 32, now);
          if (place < 0 || ahead < placeAhead) [place, placeAhead] = [index, ahead];
        }
        const low = Atomics.load(halves, place * 2);
        const high = Atomics.load(halves, place * 2 + 1);
        if (found && high >>> 8 !== tag) continue;
        const ahead = found ? Math.max(0, aheadOf((high & 0xff) * 2 ** 32 + (low >>> 0), now)) : 0;
        if (ahead > tolerance) return -Math.max(1, Math.ceil((ahead - tolerance) * tickMs));
        const next = (now + ahead + interval) % timeRange;
        const replacement = wordOf(next | 0, (tag << 8) | (next / 2 ** 32));
        const expected = wordOf(low, high);
        if (Atomics.compareExchange(words, place, expected, replacement) === expected) {
          return Math.floor((tolerance - ahead) / interval);
        }
      }
    },
  };
}

/** How far a time lies ahead of now, in ticks; negative if it has passed. */
function aheadOf(time: number, now: number): number {
  const ahead = (time - now + timeRange) % timeRange;
  return ahead > maxAhead ? ahead - timeRange : ahead;
}

function tooLong(): CurtainwallError {
  return new CurtainwallError("GATEWAY_OPTION_INVALID", "A limit may span 31 days at most.", {
    hint: 'Lower its burst, or write a shorter window: "1000/day per client"',
  });
}
