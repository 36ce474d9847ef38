/** The scripts of a site by what of their names a bundler writes into other scripts. */
export interface ScriptNames {
  /** Paths of the scripts that a text names, sorted. */
  in(text: string): readonly string[];
}

/** Creates the look-up of a site's scripts. A script is named by its file name, or by a part of it that may be a hash. */
export function scriptNames(paths: readonly string[]): ScriptNames {
  const byName = new Map<string, string[]>();
  const add = (name: string, path: string): void => {
    const list = byName.get(name);
    if (list === undefined) byName.set(name, [path]);
    else list.push(path);
  };
  for (const path of paths) {
    const name = path.slice(path.lastIndexOf("/") + 1);
    if (!/\.m?js$/.test(name)) continue;
    add(name, path);
    for (const part of name.split(".").slice(0, -1))
      if (part.length >= 8 && /\d|[a-z][A-Z]|[A-Z]{2}/.test(part)) add(part, path);
  }
  const sieve = createSieve(byName.keys());
  return {
    in(text) {
      if (byName.size === 0) return [];
      const found = new Set<string>();
      const note = (from: number, to: number): void => {
        if (!sieve.mayHold(text, from, to)) return;
        for (const path of byName.get(text.slice(from, to)) ?? []) found.add(path);
      };
      for (let at = 0; at < text.length; at++) {
        if (!isOfWord(text.charCodeAt(at))) continue;
        const from = at;
        let hasDot = false;
        for (let code = text.charCodeAt(at); isOfWord(code); code = text.charCodeAt(++at))
          hasDot ||= code === dot;
        if (at - from < minWordLength) continue;
        note(from, at);
        if (hasDot) notePartsOf(text, from, at, note);
      }
      return [...found].sort();
    },
  };
}

const minWordLength = 4;
const dot = 0x2e;
const wordTable = new Uint8Array(128);
for (let code = 0; code < 128; code++) if (/[\w@~.-]/.test(String.fromCharCode(code))) wordTable[code] = 1;

/** False for what stands after a text's end too. */
const isOfWord = (code: number): boolean => code < 128 && wordTable[code] === 1;

function notePartsOf(text: string, from: number, to: number, note: (from: number, to: number) => void): void {
  let start = from;
  for (let at = from; at <= to; at++) {
    if (at < to && text.charCodeAt(at) !== dot) continue;
    if (at > start) note(start, at);
    start = at + 1;
  }
}

/** Tells most words from the names without making a text of them: an index of search has a million. */
interface Sieve {
  mayHold(text: string, from: number, to: number): boolean;
}

const sieveSize = 4096;

/** A word's length, its first two letters and its last. */
function mixOf(text: string, from: number, to: number): number {
  const start = Math.imul(text.charCodeAt(from), 31) + text.charCodeAt(from + 1);
  const mixed = Math.imul(Math.imul(start, 31) + text.charCodeAt(to - 1), 31) + (to - from);
  return (mixed ^ (mixed >>> 12)) & (sieveSize - 1);
}

function createSieve(names: Iterable<string>): Sieve {
  const holds = new Uint8Array(sieveSize);
  for (const name of names) if (name.length > 1) holds[mixOf(name, 0, name.length)] = 1;
  return { mayHold: (text, from, to) => to - from > 1 && holds[mixOf(text, from, to)] === 1 };
}
