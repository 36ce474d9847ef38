import { revealSecret, toHex } from "../shared/index.ts";
import type { Secret } from "../shared/index.ts";
import { classesOf } from "./leaks/byte-classes.ts";
import { hashOf, multiplierOf } from "./leaks/rolling-hash.ts";
import { bitsOf, whyNotSearchable } from "./leaks/searchable.ts";
import type { LeakEncoding, NotSearched } from "./leaks/types.ts";
import { formsOf, piecesOf } from "./leaks/value-forms.ts";

// Apart from the room's index, so that the process that has the values loads this and nothing else of the room.

/** One form of a value, as it can be recognised and not read. */
export interface Fingerprint {
  /** The secret's name. */
  readonly name: string;
  /** How this form writes it. */
  readonly encodings: readonly LeakEncoding[];
  /** Of the form, in bytes. */
  readonly length: number;
  /** How many of its last bytes `tail` is of. */
  readonly window: number;
  /** A hash of 32 bits that can be rolled over a text; see decision 108 for what it is of. */
  readonly tail: number;
  /** SHA-256 of the salt and the whole form, hexadecimal. */
  readonly digest: string;
}

/** What values are recognised by in what a build makes, without having them. JSON can write it. */
export interface ValueFingerprints {
  /** Drawn for these, hexadecimal. */
  readonly salt: string;
  readonly prints: readonly Fingerprint[];
  /** The kinds of bytes in what `tail` is of, by width. */
  readonly windows: readonly { readonly width: number; readonly classes: readonly number[] }[];
  /** The kinds of bytes in the values. */
  readonly classes: readonly number[];
  /** Which versions of which secrets these are: as long as they are the same, so is what is looked for. */
  readonly versions: readonly string[];
  /** Values that none are given out of, and why. */
  readonly notSearched: readonly NotSearched[];
}

/** What a vault has under a name. */
export interface VersionedValue {
  readonly name: string;
  /** No other value of this name has had it, also in a store that was made anew. */
  readonly version: string;
  readonly value: Secret;
}

/** Options of {@link fingerprintsOf}. */
export interface FingerprintOptions {
  /** 16 random bytes or more, used once. */
  salt: Uint8Array;
  /** SHA-256. */
  sha256: (bytes: Uint8Array) => Uint8Array;
}

/** Bits that must be guessed at least, to get from a fingerprint to what it is of. */
const fewestBits = 60;
/** How much of a value's end a rolled hash is of. In fewer bytes those could be guessed by themselves, and then the rest. */
const windowBytes = 24;

/**
 * Makes fingerprints of values, in all forms that the leak gate looks for. Whoever has them recognises a value that he sees, and learns of
 * none that he doesn't: a value that could be guessed from one is left out, and named in `notSearched`.
 */
export function fingerprintsOf(
  values: Iterable<VersionedValue>,
  { salt, sha256 }: FingerprintOptions,
): ValueFingerprints {
  const multiplier = multiplierOf(salt);
  const prints: Fingerprint[] = [];
  const notSearched: NotSearched[] = [];
  const windows = new Map<number, Set<number>>();
  const bytesOfValues = new Set<number>();
  const versions: string[] = [];
  for (const { name, value, version } of values) {
    versions.push(`${name} ${version}`);
    const texts = guardedPieces(revealSecret(value));
    if (typeof texts === "string") notSearched.push({ kind: "value", name, reason: texts });
    else for (const text of texts) for (const form of formsOf(text)) add(name, form);
  }
  return {
    salt: toHex(salt),
    prints,
    windows: [...windows].map(([width, bytes]) => ({ width, classes: classesOf(bytes) })),
    classes: classesOf(bytesOfValues),
    versions,
    notSearched,
  };

  function add(name: string, { bytes, encodings }: ReturnType<typeof formsOf>[number]): void {
    const window = Math.min(bytes.length, windowBytes * widthOf(encodings));
    const tail = bytes.subarray(bytes.length - window);
    prints.push({
      name,
      encodings,
      length: bytes.length,
      window,
      tail: hashOf(tail, multiplier),
      digest: digestOf(salt, bytes, sha256),
    });
    const known = windows.get(window) ?? new Set();
    windows.set(window, known);
    for (const byte of tail) known.add(byte);
    if (encodings.length === 0) for (const byte of bytes) bytesOfValues.add(byte);
  }
}

/** How many bytes a form has for one of the value, at most. */
function widthOf(encodings: readonly LeakEncoding[]): number {
  if (encodings.includes("hex") || encodings.includes("utf-16")) return 2;
  return encodings.includes("base64") ? 4 / 3 : 1;
}

/** SHA-256 of a salt and bytes, hexadecimal. */
export function digestOf(salt: Uint8Array, bytes: Uint8Array, sha256: FingerprintOptions["sha256"]): string {
  const salted = new Uint8Array(salt.length + bytes.length);
  salted.set(salt);
  salted.set(bytes, salt.length);
  const digest = toHex(sha256(salted));
  salted.fill(0);
  return digest;
}

/** What is looked for of a value, or why nothing is. */
function guardedPieces(value: string): readonly string[] | string {
  const whole = value.trim();
  const part = secretPart(whole);
  const pieces = [...new Set([...piecesOf(whole), ...(part === undefined ? [] : [part])])];
  const searchable = pieces.filter((piece) => whyNotSearchable(piece) === undefined);
  if (searchable.length === 0)
    return (
      pieces.map(whyNotSearchable).find((reason) => reason !== undefined) ??
      "it has no part that could be looked for"
    );
  if (bitsOf(Array.from(part ?? whole)) < fewestBits) return guessable;
  const safe = searchable.filter((piece) => bitsOf(Array.from(piece)) >= fewestBits);
  return safe.length === 0 ? guessable : safe;
}

const guessable = "so short that it could be guessed from a fingerprint; a longer one would be looked for";

/** Of an address its password, of `user:password` what follows the colon: the rest anybody may know. */
function secretPart(value: string): string | undefined {
  const url = /^[a-z][\w+.-]*:\/\//i.test(value) ? URL.parse(value) : null;
  if (url !== null) return url.password === "" ? undefined : url.password;
  return /^[^\s:{["]{1,256}:(\S+)$/.exec(value)?.[1];
}
