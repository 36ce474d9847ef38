import { readParts } from "./pattern-parts.ts";
import type { Part } from "./pattern-parts.ts";

/** Texts of this length are tried. */
const textLength = 64;
/** Ways in which a pattern may be tried on one: twice the square of its length, and not its third power. */
const maxWays = 15_000;
const maxPlaces = 600;
const maxSteps = 4000;
/** Of more characters than these that a pattern tells apart, no two are tried by turns. */
const maxPaired = 6;

const samples = [
  ...Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index)),
  "\n",
  "é",
  "中",
  "😀",
];

class TooMuch extends Error {}

/** Places of a pattern where a character is taken, and in how many ways each may follow each (Glushkov's construction, with counts). */
interface Ways {
  /** Ways to take nothing at all. */
  readonly empty: number;
  readonly first: ReadonlyMap<number, number>;
  readonly last: ReadonlyMap<number, number>;
}

/**
 * Whether an engine that goes back and tries again may take much longer on a text than the text is long: `(a+)*`, `(a|a){30}`, `a*a*a*b`. Counts in how
 * many ways the pattern can be begun on texts that make that many, since so many are tried where none fits to the end.
 */
export function mayTakeLong(pattern: string, flags: string): boolean {
  const whole = readParts(pattern);
  if (whole === undefined) return true;
  const isAnchored = pattern.startsWith("^") && whole.kind === "all";
  try {
    const looks = [...looksIn(whole, false)];
    return isLong(whole, flags, isAnchored) || looks.some((look) => isLong(look, flags, false));
  } catch (error) {
    if (error instanceof TooMuch) return true;
    throw error;
  }
}

/** What is looked at ahead is a search of its own; one that repeats is one in each of the others' ways. */
function* looksIn(part: Part, isRepeated: boolean): Generator<Part> {
  if (part.kind === "look") {
    if (isRepeated && !isFixed(part.part)) throw new TooMuch();
    yield part.part;
    yield* looksIn(part.part, false);
  } else if (part.kind === "repeat") yield* looksIn(part.part, isRepeated || part.most > 1);
  else if (part.kind !== "one")
    for (const inner of part.kind === "all" ? part.parts : part.options) yield* looksIn(inner, isRepeated);
}

/** Whether there is one way through it. */
function isFixed(part: Part): boolean {
  if (part.kind === "repeat") return part.least === part.most && isFixed(part.part);
  if (part.kind === "all") return part.parts.every(isFixed);
  return part.kind === "one";
}

function isLong(part: Part, flags: string, isAnchored: boolean): boolean {
  const { places, follow, first } = countWays(part, flags);
  const kinds = [...new Map(samples.map((sample) => [signature(places, sample), sample])).values()];
  const classes = kinds.map((sample) => places.map((place) => place.has(sample)));

  /** All ways that are begun on a text; `choose` says which class stands at each place. */
  function ways(choose: (counts: readonly number[], at: number) => number): number {
    let counts: number[] = places.map((_, place) => first.get(place) ?? 0);
    let all = 0;
    for (let at = 0; at < textLength && all <= maxWays; at++) {
      const accepted = classes[choose(counts, at)] as readonly boolean[];
      const next: number[] = places.map((_, place) => (isAnchored ? 0 : (first.get(place) ?? 0)));
      for (let place = 0; place < counts.length; place++) {
        const count = counts[place] as number;
        if (count === 0 || accepted[place] !== true) continue;
        all += count;
        for (const [other, times] of follow[place] as ReadonlyMap<number, number>)
          next[other] = (next[other] as number) + count * times;
      }
      counts = next;
    }
    return all;
  }

  const most = (counts: readonly number[]): number => {
    let [best, bestCount] = [0, -1];
    for (const [index, accepted] of classes.entries()) {
      let count = 0;
      for (let place = 0; place < counts.length; place++)
        if (accepted[place] === true) count += counts[place] as number;
      if (count > bestCount) [best, bestCount] = [index, count];
    }
    return best;
  };
  if (ways(most) > maxWays) return true;
  const paired = Math.min(classes.length, maxPaired);
  return classes.some(
    (_, one) =>
      ways(() => one) > maxWays ||
      (one < paired &&
        classes
          .slice(0, paired)
          .some((__, other) => ways((___, at) => (at % 2 === 0 ? one : other)) > maxWays)),
  );
}

const signature = (places: readonly ReadonlySet<string>[], sample: string): string =>
  places.map((place) => (place.has(sample) ? "1" : "0")).join("");

function countWays(
  whole: Part,
  flags: string,
): {
  places: readonly ReadonlySet<string>[];
  follow: readonly ReadonlyMap<number, number>[];
  first: Ways["first"];
} {
  const places: ReadonlySet<string>[] = [];
  const follow: Map<number, number>[] = [];
  const known = new Map<string, ReadonlySet<string>>();
  let steps = 0;

  function takes(source: string): ReadonlySet<string> {
    const found =
      known.get(source) ??
      new Set(samples.filter((sample) => new RegExp(`^(?:${source})$`, flags).test(sample)));
    known.set(source, found);
    return found;
  }

  function join({ last }: Ways, { first }: Ways): void {
    for (const [from, ways] of last)
      for (const [to, more] of first) {
        if (++steps > maxSteps) throw new TooMuch();
        const followers = follow[from] as Map<number, number>;
        followers.set(to, (followers.get(to) ?? 0) + ways * more);
      }
  }

  function after(one: Ways, other: Ways): Ways {
    join(one, other);
    return {
      empty: one.empty * other.empty,
      first: sum(one.first, other.first, one.empty),
      last: sum(other.last, one.last, other.empty),
    };
  }

  const perhaps = (ways: Ways): Ways => ({ ...ways, empty: 1 });

  function repeat(part: Part, least: number, most: number): Ways {
    // Of one character a few tell as much as many.
    const few = part.kind === "one" ? 20 : maxPlaces;
    let ways: Ways = nothing;
    for (let count = Math.min(least, few); count > 0; count--) ways = after(ways, read(part));
    if (most > least + few) {
      const loop = perhaps(read(part));
      join(loop, loop);
      return after(ways, loop);
    }
    let rest: Ways = nothing;
    for (let count = most - least; count > 0; count--) rest = perhaps(after(read(part), rest));
    return after(ways, rest);
  }

  function read(part: Part): Ways {
    switch (part.kind) {
      case "one": {
        if (places.length >= maxPlaces) throw new TooMuch();
        const place = new Map([[places.length, 1]]);
        places.push(takes(part.source));
        follow.push(new Map());
        return { empty: 0, first: place, last: place };
      }
      case "all":
        return part.parts.reduce((before, inner) => after(before, read(inner)), nothing);
      case "any":
        return part.options.map(read).reduce((one, other) => ({
          empty: one.empty + other.empty,
          first: sum(one.first, other.first, 1),
          last: sum(one.last, other.last, 1),
        }));
      case "repeat":
        return part.most === 0 ? nothing : repeat(part.part, part.least, part.most);
      case "look":
        return nothing;
    }
  }

  const { first } = read(whole);
  return { places, follow, first };
}

const nothing: Ways = { empty: 1, first: new Map(), last: new Map() };

function sum(
  one: ReadonlyMap<number, number>,
  other: ReadonlyMap<number, number>,
  times: number,
): ReadonlyMap<number, number> {
  if (times === 0 || other.size === 0) return one;
  const all = new Map(one);
  for (const [place, ways] of other) all.set(place, (all.get(place) ?? 0) + ways * times);
  return all;
}
