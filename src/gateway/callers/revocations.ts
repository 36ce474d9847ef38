import { createKeyedHash } from "../limits/keyed-hash.ts";

/** Memory that threads share for whose tokens do not count any more. Made by {@link createRevocationMemory}. */
export interface RevocationMemory {
  readonly buffer: SharedArrayBuffer;
  readonly slots: number;
}

/** Whose tokens do not count any more. */
export interface Revocations {
  /** Changes with every revocation, so that what was verified before is looked at again. */
  epoch(): number;
  /** The second, since 1970, up to and with which a subject's tokens must have been issued to be refused; 0: none are. */
  issuedUntil(subject: string): number;
  /** Refuses a subject's tokens that were issued until a second, with it. Never takes a refusal back. */
  revoke(subject: string, untilSeconds: number): void;
  /** The same for everybody. */
  revokeAll(untilSeconds: number): void;
}

/** Options of {@link createRevocationMemory}. */
export interface RevocationMemoryOptions {
  /** Places, a power of 2 from 1 024 to 16 777 216, of 4 bytes. Default 131 072. */
  slots?: number;
  /** A secret of two 32-bit numbers, so that nobody can choose a subject that shares another's places. Default: random. */
  secret?: readonly [number, number];
}

/** Epoch, everybody's time, and the secret's two halves stand before the slots. */
const headWords = 4;

/** Makes the memory for {@link openRevocations}. */
export function createRevocationMemory({
  slots = 131_072,
  secret = [...crypto.getRandomValues(new Int32Array(2))] as [number, number],
}: RevocationMemoryOptions = {}): RevocationMemory {
  const buffer = new SharedArrayBuffer((headWords + slots) * 4);
  new Int32Array(buffer).set(secret, 2);
  return { buffer, slots };
}

/**
 * One thread's view of the revocations. What it remembers is bounded and nothing is ever forgotten: a subject's time stands in
 * two places that its name falls on, which others may share, and the earlier of the two counts. So no revocation is missed;
 * and somebody else is refused, who then has to sign in again, only where both of his places are taken: with 1 000
 * revocations among 131 072 places, one in about 4 300.
 */
export function openRevocations({ buffer, slots }: RevocationMemory): Revocations {
  const words = new Int32Array(buffer);
  // Seconds as unsigned numbers last until 2106.
  const times = new Uint32Array(buffer);
  const hash = createKeyedHash([words[2] as number, words[3] as number]);
  const mask = slots - 1;

  function raise(place: number, seconds: number): void {
    const until = Math.max(0, Math.min(Math.ceil(seconds), 0xffff_ffff));
    for (let known = Atomics.load(times, place); known < until;) {
      const before = Atomics.compareExchange(times, place, known, until);
      if (before === known) break;
      known = before;
    }
  }

  return {
    epoch: () => Atomics.load(words, 0),
    issuedUntil(subject) {
      hash(0, subject);
      const first = Atomics.load(times, headWords + (hash.low & mask));
      const second = Atomics.load(times, headWords + (hash.high & mask));
      return Math.max(Math.min(first, second), Atomics.load(times, 1));
    },
    revoke(subject, untilSeconds) {
      hash(0, subject);
      raise(headWords + (hash.low & mask), untilSeconds);
      raise(headWords + (hash.high & mask), untilSeconds);
      // Last: who sees the new epoch sees the times.
      Atomics.add(words, 0, 1);
    },
    revokeAll(untilSeconds) {
      raise(1, untilSeconds);
      Atomics.add(words, 0, 1);
    },
  };
}
