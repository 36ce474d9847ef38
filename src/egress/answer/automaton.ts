/** Finds texts in a stream of bytes, all at once: one step a byte, whatever the bytes are. */
export interface Automaton {
  /** Bytes of the longest text. */
  readonly longest: number;
  /**
   * Goes on through a part of a stream.
   *
   * @param state what the last call returned; 0 at the beginning
   * @param onFound told of each place where texts end, as an offset in the part, and of the longest that ends there
   */
  run(bytes: Uint8Array, state: number, onFound: (end: number, length: number) => void): number;
}

/** All bytes that stand in no text are alike. */
const otherClass = 0;

/**
 * Makes an automaton that knows of each state and byte where it leads (Aho and Corasick 1975), with no way back to search for: how long it takes
 * over a byte says nothing of how much of a text stood before it.
 *
 * @param needles none of them empty
 */
export function createAutomaton(needles: readonly Uint8Array[]): Automaton {
  const { classes, count } = classesOf(needles);
  const size = 1 + needles.reduce((total, needle) => total + needle.length, 0);
  const table = new Uint32Array(size * count);
  /** By state: the longest text that ends there. */
  const ends = new Uint32Array(size);
  const order = plant(needles, { classes, count, table, ends });
  close(order, { count, table, ends });
  return {
    longest: Math.max(0, ...needles.map(({ length }) => length)),
    run(bytes, state, onFound) {
      let at = state;
      for (let index = 0; index < bytes.length; index++) {
        at = table[at * count + (classes[bytes[index] as number] as number)] as number;
        if (ends[at] !== 0) onFound(index + 1, ends[at] as number);
      }
      return at;
    },
  };
}

interface Tables {
  /** By byte. */
  readonly classes: Uint8Array;
  readonly count: number;
  /** By state and class: the next state. */
  readonly table: Uint32Array;
  readonly ends: Uint32Array;
}

function classesOf(needles: readonly Uint8Array[]): { classes: Uint8Array; count: number } {
  const classes = new Uint8Array(256);
  let count = otherClass + 1;
  for (const needle of needles)
    for (const byte of needle) if (classes[byte] === otherClass) classes[byte] = count++;
  // Where each byte stands in some text, the class of the others is not needed, and there is no number left for the last.
  return count > 256
    ? { classes: Uint8Array.from({ length: 256 }, (_, byte) => byte), count: 256 }
    : { classes, count };
}

/** Lays the texts out as a tree; returns its states but the root, those nearer to it first, each with where it hangs. */
function plant(
  needles: readonly Uint8Array[],
  { classes, count, table, ends }: Tables,
): [state: number, parent: number, step: number][] {
  const found: [number, number, number][][] = [];
  let states = 1;
  for (const needle of needles) {
    let at = 0;
    for (const [depth, byte] of needle.entries()) {
      const step = classes[byte] as number;
      const next = table[at * count + step] as number;
      if (next === 0) {
        table[at * count + step] = states;
        (found[depth] ??= []).push([states, at, step]);
        at = states++;
      } else at = next;
    }
    ends[at] = needle.length;
  }
  return found.flat();
}

/** Fills in where each state leads that has no branch for a byte: where the longest of its own endings that begins a text would. */
function close(
  order: readonly [number, number, number][],
  { count, table, ends }: Omit<Tables, "classes">,
): void {
  const shorter = new Uint32Array(ends.length);
  for (const [state, parent, step] of order) {
    const back = parent === 0 ? 0 : (table[(shorter[parent] as number) * count + step] as number);
    shorter[state] = back;
    if (ends[state] === 0) ends[state] = ends[back] as number;
    for (let other = 0; other < count; other++)
      if (table[state * count + other] === 0)
        table[state * count + other] = table[back * count + other] as number;
  }
}
