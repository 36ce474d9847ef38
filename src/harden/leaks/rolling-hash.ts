/** Multiplies by an odd number that whoever made the fingerprints drew: two runs have nothing in common. */
export function multiplierOf(salt: Uint8Array): number {
  const [a = 0, b = 0, c = 0, d = 0] = salt;
  return ((a << 24) | (b << 16) | (c << 8) | d | 1) >>> 0;
}

/** A polynomial over bytes, modulo 2³²: what {@link createRoller} has when its window holds these. */
export function hashOf(bytes: Uint8Array, multiplier: number): number {
  let hash = 0;
  for (const byte of bytes) hash = (Math.imul(hash, multiplier) + byte) | 0;
  return hash;
}

/** What the byte that leaves a window of this width was multiplied by. */
export function outgoingFactor(width: number, multiplier: number): number {
  let factor = 1;
  for (let index = 1; index < width; index++) factor = Math.imul(factor, multiplier);
  return factor;
}
