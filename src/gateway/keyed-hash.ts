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
  let v0 = 0;
  let v1 = 0;
  let v2 = 0;
  let v3 = 0;

  const round = (): void => {
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
  };

  const absorb = (word: number): void => {
    v3 ^= word;
    round();
    round();
    v0 ^= word;
  };

  const hash = ((salt: number, text: string): void => {
    v0 = key0;
    v1 = key1 ^ 0xee;
    v2 = 0x6c796765 ^ key0;
    v3 = 0x74656462 ^ key1;
    absorb(salt);
    const pairs = text.length & ~1;
    for (let index = 0; index < pairs; index += 2)
      absorb(text.charCodeAt(index) | (text.charCodeAt(index + 1) << 16));
    // The last word holds the length of the message in bytes, and what is left of it.
    absorb(((4 + text.length * 2) << 24) | (text.length > pairs ? text.charCodeAt(pairs) : 0));
    v2 ^= 0xee;
    for (let count = 0; count < 4; count++) round();
    hash.low = (v1 ^ v3) | 0;
    v1 ^= 0xdd;
    for (let count = 0; count < 4; count++) round();
    hash.high = (v1 ^ v3) | 0;
  }) as KeyedHash;
  hash.low = 0;
  hash.high = 0;
  return hash;
}
