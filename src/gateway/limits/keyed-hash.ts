/** A hash function with a secret key; call it, then read the result's halves. */
export interface KeyedHash {
  (salt: number, text: string): void;
  /** 32 bits. */
  low: number;
  /** 32 bits. */
  high: number;
}

/**
 * HalfSipHash-2-4 with 64 bits of output over a number's four bytes and a text's UTF-16 units, little endian. Without the
 * key nobody can choose texts that fall into one place of a table.
 *
 * @see Aumasson and Bernstein, "SipHash: a fast short-input PRF" (2012)
 */
export function createKeyedHash([key0, key1]: readonly [number, number]): KeyedHash {
  const hash = ((salt: number, text: string): void => {
    let v0 = key0;
    let v1 = key1 ^ 0xee;
    let v2 = 0x6c796765 ^ key0;
    let v3 = 0x74656462 ^ key1;
    const pairs = text.length & ~1;
    // The number, then two units at a time, then what is left with the message's length in bytes.
    const last = ((4 + text.length * 2) << 24) | (text.length > pairs ? text.charCodeAt(pairs) : 0);
    // One flat loop over the words and the two ends, since this runs for each limit of each request.
    for (let at = -2; at <= pairs + 4; at += 2) {
      let word = 0;
      if (at < 0) word = salt;
      else if (at < pairs) word = text.charCodeAt(at) | (text.charCodeAt(at + 1) << 16);
      else if (at === pairs) word = last;
      else if (at === pairs + 2) v2 ^= 0xee;
      else v1 ^= 0xdd;
      v3 ^= word;
      for (let rounds = at <= pairs ? 2 : 4; rounds > 0; rounds--) {
        v0 = (v0 + v1) | 0;
        v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
        v0 = (v0 << 16) | (v0 >>> 16);
        v2 = (v2 + v3) | 0;
        v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
        v0 = (v0 + v3) | 0;
        v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
        v2 = (v2 + v1) | 0;
        v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
        v2 = (v2 << 16) | (v2 >>> 16);
      }
      v0 ^= word;
      if (at === pairs + 2) hash.low = v1 ^ v3;
    }
    hash.high = v1 ^ v3;
  }) as KeyedHash;
  hash.low = 0;
  hash.high = 0;
  return hash;
}
