import { proofSeconds } from "../../../contract/index.ts";
import { createKeyedHash } from "../../limits/keyed-hash.ts";

/** Memory that threads share for proofs that were used. Made by {@link createProofMemory}. */
export interface ProofMemory {
  readonly buffer: SharedArrayBuffer;
  readonly slots: number;
  /** How long a proof counts, in seconds from its own time. */
  readonly windowSeconds: number;
  /** The second, since 1970, that the times in it are relative to. */
  readonly epochSeconds: number;
}

/** Options of {@link createProofMemory}. */
export interface ProofMemoryOptions {
  /** How long a proof counts, in seconds from its own time. Default: {@link proofSeconds}, and 60 for clocks. */
  windowSeconds?: number;
  /** Proofs remembered at once: a power of 2 from 1 024 to 16 777 216, of 8 bytes. Default 524 288. */
  slots?: number;
  /** A secret of two 32-bit numbers, so that nobody can choose names that fill one place. Default: random. */
  secret?: readonly [number, number];
  /** The present in milliseconds since 1970. */
  now?: number;
}

/**
 * What became of a proof that was offered: used for the `first` time, or `again`; `late`, so that whether it was used before may have been
 * forgotten; `full`, so that it could not be remembered. Only the first may count.
 */
export type ProofUse = "first" | "again" | "late" | "full";

/** The proofs that were used, as one thread sees them. */
export interface UsedProofs {
  /**
   * Notes that a proof is used.
   *
   * @param name whose it is, and what it is called
   * @param issuedAt its time, in seconds since 1970
   */
  use(name: string, issuedAt: number, nowMs: number): ProofUse;
}

/** Places that one name may stand in, in each of two rows. */
const ways = 8;
/** Before the slots: the time until which proofs may have been forgotten, a spare word, and the secret's two halves. */
const headWords = 4;
const daySeconds = 86_400;
const timeBits = 28;
const timeMask = 2 ** timeBits - 1;

/**
 * Makes the memory for {@link openUsedProofs}. Proofs that are older than it are late: the memory before, of an edge that has ended, may have
 * known them.
 */
export function createProofMemory({
  windowSeconds = proofSeconds + 60,
  slots = 524_288,
  secret = [...crypto.getRandomValues(new Int32Array(2))] as [number, number],
  now = Date.now(),
}: ProofMemoryOptions = {}): ProofMemory {
  const buffer = new SharedArrayBuffer(headWords * 4 + slots * 8);
  // A day before, so that what is already over has a time, too.
  new Int32Array(buffer).set([daySeconds + windowSeconds, 0, ...secret]);
  return { buffer, slots, windowSeconds, epochSeconds: Math.floor(now / 1000) - daySeconds };
}

/**
 * Remembers used proofs exactly, however many threads share the memory, and forgets none within its time. A proof is one 64-bit word (36
 * bits that name it, 28 that say until when it counts) in one of 16 places, and is put there by compare-and-swap. Two threads that are
 * given the same proof at once find each other when they look again: at most one of them is told that it was the first.
 *
 * A place is taken over when its proof's time has passed. By which clock, does not matter: from then on whatever ends no later than that proof
 * is `late`, so a clock that is set back brings no proof back.
 *
 * Two proofs that agree in the 36 bits are taken for one: about once in four thousand million uses of a full memory.
 */
export function openUsedProofs({ buffer, slots, windowSeconds, epochSeconds }: ProofMemory): UsedProofs {
  const head = new Int32Array(buffer, 0, headWords);
  const words = new BigInt64Array(buffer, headWords * 4);
  // Reading half a word costs no BigInt. Low half first, as on every machine that Node runs threads on.
  const halves = new Int32Array(buffer, headWords * 4);
  const rowMask = slots / ways - 1;
  const hash = createKeyedHash([head[2] as number, head[3] as number]);
  const scratch = new Int32Array(4);
  const scratchWords = new BigInt64Array(scratch.buffer);
  const places = new Int32Array(2 * ways);
  let tagLow = 0;
  let tagHigh = 0;

  function locate(name: string): void {
    hash(1, name);
    tagLow = hash.low;
    tagHigh = hash.high & 0xf;
    hash(0, name);
    const first = (hash.low & rowMask) * ways;
    const second = (hash.high & rowMask) * ways;
    for (let index = 0; index < ways; index++) {
      places[index] = first + index;
      places[ways + index] = second + index;
    }
  }

  /** How many places hold this name, for a time that has not passed. */
  function count(now: number): number {
    let found = 0;
    for (let index = 0; index < places.length; index++) {
      const place = places[index] as number;
      // Both rows may be the same one.
      if (index >= ways && place === places[index - ways]) continue;
      const high = Atomics.load(halves, place * 2 + 1);
      if (
        high >>> timeBits === tagHigh &&
        (high & timeMask) > now &&
        Atomics.load(halves, place * 2) === tagLow
      )
        found++;
    }
    return found;
  }

  /** The place of the two rows' emptier one whose proof's time has passed; -1: there is none. */
  function findFree(now: number): number {
    let best = -1;
    let most = 0;
    for (const start of [0, ways]) {
      let free = 0;
      let place = -1;
      for (let index = start; index < start + ways; index++) {
        const candidate = places[index] as number;
        if ((Atomics.load(halves, candidate * 2 + 1) & timeMask) > now) continue;
        free++;
        if (place < 0) place = candidate;
      }
      if (free > most) [most, best] = [free, place];
    }
    return best;
  }

  /** Whatever ends no later than this may have been forgotten. Never goes back. */
  function forgetUntil(time: number): void {
    for (let known = Atomics.load(head, 0); known < time;) {
      const before = Atomics.compareExchange(head, 0, known, time);
      if (before === known) return;
      known = before;
    }
  }

  /** Takes a place if what stands there is over still. False: another thread was faster. */
  function take(place: number, now: number, until: number): boolean {
    const seen = Atomics.load(words, place);
    scratchWords[0] = seen;
    const over = (scratch[1] as number) & timeMask;
    if (over > now) return false;
    // First: who does not find the proof that is overwritten here must find that it may have been.
    forgetUntil(over);
    scratch[2] = tagLow;
    scratch[3] = (tagHigh << timeBits) | until;
    return Atomics.compareExchange(words, place, seen, scratchWords[1] as bigint) === seen;
  }

  return {
    use(name, issuedAt, nowMs) {
      const now = Math.max(0, Math.floor(nowMs / 1000) - epochSeconds);
      const until = Math.floor(issuedAt) + windowSeconds - epochSeconds;
      if (until <= now || Atomics.load(head, 0) >= until) return "late";
      if (until > timeMask) return "full";
      locate(name);
      for (;;) {
        if (count(now) > 0) return "again";
        const place = findFree(now);
        if (place < 0) return "full";
        if (!take(place, now, until)) continue;
        // Another thread may have put it into another place meanwhile; it looks again, too.
        if (count(now) > 1) return "again";
        return Atomics.load(head, 0) >= until ? "late" : "first";
      }
    },
  };
}
