/** A byte string to be found, and what it stands for. */
export interface Needle<Meaning> {
  readonly bytes: Uint8Array;
  readonly meaning: Meaning;
}

/** Finds many byte strings in one pass; see {@link createMatcher}. */
export interface Matcher<Meaning> {
  /** Calls back for each occurrence in `bytes`, in the order of their anchors, with where it starts. */
  scan(bytes: Uint8Array, onMatch: (needle: Needle<Meaning>, start: number) => void): void;
  /** The longest needle, in bytes. */
  readonly longest: number;
}

interface Anchored<Meaning> {
  readonly needle: Needle<Meaning>;
  /** Where in the needle its anchor begins. */
  readonly at: number;
  /** The next needle with the same anchor. */
  readonly next: Anchored<Meaning> | undefined;
}

const gramLength = 4;
const tableBits = 17;
/** Spreads four bytes over the table (Fibonacci hashing). */
const spread = 0x9e3779b1;

/**
 * Makes a matcher for needles of at least four bytes.
 *
 * Each needle is found by four bytes of it, its anchor: the ones that fewest others share and that text has seldom. A text is read once,
 * with one look into a table of a million bits for each byte; only where an anchor stands are needles compared. So the time grows with
 * the text, not with the number of needles, and the memory with the needles alone.
 *
 * @throws {RangeError} if a needle is shorter: the caller decides what is too short to be looked for
 */
export function createMatcher<Meaning>(needles: readonly Needle<Meaning>[]): Matcher<Meaning> {
  const table = new Uint8Array(1 << tableBits);
  const byAnchor = new Map<number, Anchored<Meaning>>();
  const sharing = countGrams(needles);
  let longest = 0;
  for (const needle of needles) {
    if (needle.bytes.length < gramLength) throw new RangeError("A needle has at least 4 bytes.");
    longest = Math.max(longest, needle.bytes.length);
    const at = bestAnchor(needle.bytes, sharing);
    const gram = gramAt(needle.bytes, at);
    const hash = Math.imul(gram, spread);
    table[hash >>> (32 - tableBits)]! |= 1 << ((hash >>> 12) & 7);
    byAnchor.set(gram, { needle, at, next: byAnchor.get(gram) });
  }
  return {
    longest,
    scan(bytes, onMatch) {
      const end = bytes.length;
      if (end < gramLength || byAnchor.size === 0) return;
      let gram = (bytes[0]! << 16) | (bytes[1]! << 8) | bytes[2]!;
      for (let index = gramLength - 1; index < end; index++) {
        gram = (gram << 8) | bytes[index]!;
        const hash = Math.imul(gram, spread);
        if ((table[hash >>> (32 - tableBits)]! & (1 << ((hash >>> 12) & 7))) === 0) continue;
        for (let entry = byAnchor.get(gram); entry !== undefined; entry = entry.next) {
          const start = index - (gramLength - 1) - entry.at;
          if (isAt(bytes, start, entry.needle.bytes)) onMatch(entry.needle, start);
        }
      }
    },
  };
}

const gramAt = (bytes: Uint8Array, at: number): number =>
  (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;

/** How many needles have each gram. */
function countGrams(needles: readonly Needle<unknown>[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const { bytes } of needles) {
    const grams = new Set<number>();
    for (let at = 0; at + gramLength <= bytes.length; at++) grams.add(gramAt(bytes, at));
    for (const gram of grams) counts.set(gram, (counts.get(gram) ?? 0) + 1);
  }
  return counts;
}

function bestAnchor(bytes: Uint8Array, sharing: ReadonlyMap<number, number>): number {
  let best = 0;
  let least = Number.POSITIVE_INFINITY;
  for (let at = 0; at + gramLength <= bytes.length; at++) {
    let cost = (sharing.get(gramAt(bytes, at)) ?? 1) * 8;
    // Rulers and indents: `----`, four spaces.
    if (bytes[at] === bytes[at + 1]) cost += 12;
    for (let index = at; index < at + gramLength; index++) cost += commonness(bytes[index]!);
    if (cost < least) [best, least] = [at, cost];
  }
  return best;
}

/** How often a byte stands in what sites publish, roughly. */
function commonness(byte: number): number {
  if (byte === 0 || byte === 0x20 || (byte >= 0x61 && byte <= 0x7a)) return 4;
  if (byte >= 0x30 && byte <= 0x39) return 2;
  return 1;
}

function isAt(bytes: Uint8Array, start: number, needle: Uint8Array): boolean {
  if (start < 0 || start + needle.length > bytes.length) return false;
  for (let index = 0; index < needle.length; index++)
    if (bytes[start + index] !== needle[index]) return false;
  return true;
}
