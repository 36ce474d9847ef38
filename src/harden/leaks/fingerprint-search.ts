import { digestOf } from "../fingerprints.ts";
import type { Fingerprint, FingerprintOptions, ValueFingerprints } from "../fingerprints.ts";
import { bytesOfClasses } from "./byte-classes.ts";
import type { Finding } from "./detector.ts";
import { printable } from "./mask.ts";
import { hashOf, multiplierOf, outgoingFactor } from "./rolling-hash.ts";

/** What is looked for on behalf of values that nobody here has. */
export interface FingerprintSearch {
  /** Calls back for each form that stands in `bytes`. */
  scan(bytes: Uint8Array, onFinding: (finding: Finding) => void): void;
  /** The longest form, in bytes. */
  readonly longest: number;
  /** By byte: whether a value may have it. */
  readonly relevant: Uint8Array;
}

/** Forms whose ends have one width: they are found by one hash that rolls over a text. */
interface Window {
  readonly width: number;
  readonly outgoing: number;
  /** By byte: whether an end may have it. What stands between others is skipped. */
  readonly mayHold: Uint8Array;
  readonly byTail: ReadonlyMap<number, readonly Fingerprint[]>;
  /** A bit for each tail, so that few texts need a look into the map. */
  readonly table: Uint8Array;
}

const tableBits = 17;
const spread = 0x9e3779b1;

/**
 * Looks for values by their fingerprints, in one pass for each width of ends: where a text's bytes have the end's hash, the whole form's
 * digest decides.
 */
export function searchFingerprints(
  { salt, prints, windows, classes }: ValueFingerprints,
  sha256: FingerprintOptions["sha256"],
): FingerprintSearch {
  const salted = Uint8Array.from(salt.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  const multiplier = multiplierOf(salted);
  const opened = windows.map(({ width, classes: kinds }) => openWindow(width, kinds, prints, multiplier));
  const longest = prints.reduce((most, { length }) => Math.max(most, length), 0);
  return {
    longest,
    relevant: bytesOfClasses(classes),
    scan(bytes, onFinding) {
      const found: Finding[] = [];
      for (const window of opened)
        roll(bytes, window, multiplier, (end, candidates) => {
          for (const print of candidates) {
            const start = end - print.length;
            if (start >= 0 && digestOf(salted, bytes.subarray(start, end), sha256) === print.digest)
              found.push(findingOf(print, start));
          }
        });
      // As they stand in the text, whatever their widths.
      for (const finding of found.sort((left, right) => left.from - right.from)) onFinding(finding);
    },
  };
}

function openWindow(
  width: number,
  classes: readonly number[],
  prints: readonly Fingerprint[],
  multiplier: number,
): Window {
  const own = prints.filter(({ window }) => window === width);
  const table = new Uint8Array(1 << tableBits);
  for (const { tail } of own) {
    const slot = Math.imul(tail, spread);
    table[slot >>> (32 - tableBits)]! |= 1 << ((slot >>> 12) & 7);
  }
  return {
    width,
    outgoing: outgoingFactor(width, multiplier),
    mayHold: bytesOfClasses(classes),
    byTail: Map.groupBy(own, ({ tail }) => tail),
    table,
  };
}

/** The hot loop. A window is read from its end: most hold a byte that no end has, and nothing before it needs to be read. */
function roll(
  bytes: Uint8Array,
  window: Window,
  multiplier: number,
  onTail: (end: number, prints: readonly Fingerprint[]) => void,
): void {
  const { width, mayHold } = window;
  let from = 0;
  while (from + width <= bytes.length) {
    let index = from + width - 1;
    while (index >= from && mayHold[bytes[index]!] !== 0) index--;
    from = index < from ? rollStretch(bytes, from, window, multiplier, onTail) : index + 1;
  }
}

/** From a window all of whose bytes an end may have, to the first that none has; returns what follows it. */
function rollStretch(
  bytes: Uint8Array,
  from: number,
  { width, outgoing, mayHold, byTail, table }: Window,
  multiplier: number,
  onTail: (end: number, prints: readonly Fingerprint[]) => void,
): number {
  let hash = hashOf(bytes.subarray(from, from + width), multiplier);
  for (let end = from + width; ; end++) {
    const slot = Math.imul(hash, spread);
    if ((table[slot >>> (32 - tableBits)]! & (1 << ((slot >>> 12) & 7))) !== 0) {
      const prints = byTail.get(hash);
      if (prints !== undefined) onTail(end, prints);
    }
    if (end === bytes.length || mayHold[bytes[end]!] === 0) return end + 1;
    hash = (Math.imul(hash - Math.imul(bytes[end - width]!, outgoing), multiplier) + bytes[end]!) | 0;
  }
}

const findingOf = ({ name, encodings, length }: Fingerprint, start: number): Finding => ({
  level: "hit",
  rule: "vault-value",
  from: start,
  to: start + length,
  message: `the value of the secret ${printable(name)}`,
  // Not even its ends are known here.
  excerpt: "",
  hint: `Change it:  curtainwall secret set ${printable(name)}  – it counts as known once it was published. Then find what wrote it into the output`,
  encodings,
});
