/** Values that grow, and the first of them that is one too many: a bound that is off by one takes it, and refuses all that is far beyond. */
interface Growth {
  readonly name: string;
  /** Where the value is now, as a number. */
  readonly from: number;
  readonly at: (size: number) => unknown;
}

/** Further than this nobody looks: what takes so much takes anything. */
const most = 1_000_000;

/**
 * Finds the smallest value above this one that is refused, if growing alone makes one.
 *
 * @param isRefused tells whether the schema refuses the whole input with this value in its place
 */
export function firstTooMany(
  value: unknown,
  isRefused: (changed: unknown) => boolean,
): { name: string; value: unknown } | undefined {
  const growth = growthOf(value);
  if (growth === undefined) return undefined;
  const { name, from, at } = growth;
  let low = from;
  let high = from + 1;
  while (!isRefused(at(high))) {
    low = high;
    high = high * 2 + 1;
    if (high - from > most) return undefined;
  }
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (isRefused(at(middle))) high = middle;
    else low = middle;
  }
  return { name: name.replace("N", String(high)), value: at(high) };
}

function growthOf(value: unknown): Growth | undefined {
  if (typeof value === "string" && value !== "") {
    const last = value.at(-1) ?? "";
    return {
      name: "of N characters, one too many",
      from: value.length,
      at: (size) => value.padEnd(size, last),
    };
  }
  if (Array.isArray(value) && value.length > 0)
    return {
      name: "of N elements, one too many",
      from: value.length,
      at: (size) => Array.from({ length: size }, (_, index) => value[index % value.length] as unknown),
    };
  if (Number.isSafeInteger(value) && (value as number) >= 0)
    return { name: "N, one too many", from: value as number, at: (size) => size };
  return undefined;
}
