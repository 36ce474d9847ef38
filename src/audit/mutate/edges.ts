/** Values that grow, or shrink, and the first of them that is one too many or too few: a bound that is off by one takes it, and refuses all that is far beyond. */
interface Steps {
  readonly name: string;
  /** The value after so many steps. */
  readonly at: (steps: number) => unknown;
  /** Its size, which the name tells. */
  readonly sizeAt: (steps: number) => number;
  readonly most: number;
}

/** A value just beyond what a schema takes. */
export interface Edge {
  readonly name: string;
  readonly value: unknown;
}

/** Further than this nobody looks: what takes so much takes anything. */
const most = 1_000_000;

/**
 * Finds the smallest value above this one that is refused, if growing alone makes one.
 *
 * @param isRefused tells whether the schema refuses the whole input with this value in its place
 * @param maxElements how long a list may become: each element of each try is looked at by the schema
 */
export const firstTooMany = (
  value: unknown,
  isRefused: (changed: unknown) => boolean,
  maxElements: number = most,
): Edge | undefined => firstRefused(growthOf(value, maxElements), isRefused);

/** The same downwards: a number that is too small, a text or a list that is too short. */
export const firstTooFew = (value: unknown, isRefused: (changed: unknown) => boolean): Edge | undefined =>
  firstRefused(shrinkageOf(value), isRefused);

function firstRefused(steps: Steps | undefined, isRefused: (changed: unknown) => boolean): Edge | undefined {
  if (steps === undefined || steps.most < 1) return undefined;
  let low = 0;
  let high = 1;
  while (!isRefused(steps.at(high))) {
    if (high >= steps.most) return undefined;
    low = high;
    high = Math.min(steps.most, high * 2 + 1);
  }
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (isRefused(steps.at(middle))) high = middle;
    else low = middle;
  }
  return { name: steps.name.replace("N", String(steps.sizeAt(high))), value: steps.at(high) };
}

function growthOf(value: unknown, maxElements: number): Steps | undefined {
  if (typeof value === "string" && value !== "") {
    const last = value.at(-1) ?? "";
    const sizeAt = (steps: number): number => value.length + steps;
    return {
      name: "of N characters, one too many",
      sizeAt,
      most,
      at: (steps) => value.padEnd(sizeAt(steps), last),
    };
  }
  if (Array.isArray(value) && value.length > 0) {
    const sizeAt = (steps: number): number => value.length + steps;
    return {
      name: "of N elements, one too many",
      sizeAt,
      most: maxElements - value.length,
      at: (steps) =>
        Array.from({ length: sizeAt(steps) }, (_, index) => value[index % value.length] as unknown),
    };
  }
  if (!Number.isSafeInteger(value) || (value as number) < 0) return undefined;
  const sizeAt = (steps: number): number => (value as number) + steps;
  return { name: "N, one too many", sizeAt, most, at: sizeAt };
}

function shrinkageOf(value: unknown): Steps | undefined {
  if (typeof value === "string" || Array.isArray(value)) {
    const { length } = value;
    if (length === 0) return undefined;
    const what = typeof value === "string" ? "characters" : "elements";
    const sizeAt = (steps: number): number => length - steps;
    return {
      name: `of N ${what}, one too few`,
      sizeAt,
      most: length,
      at: (steps) => value.slice(0, sizeAt(steps)),
    };
  }
  if (!Number.isSafeInteger(value)) return undefined;
  const sizeAt = (steps: number): number => (value as number) - steps;
  return { name: "N, one too small", sizeAt, most, at: sizeAt };
}
