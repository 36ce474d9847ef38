/** One entry for each key: the last one, where the first one stood. */
export function uniqueBy<T>(list: readonly T[], key: (entry: T) => string): T[] {
  return [...new Map(list.map((entry) => [key(entry), entry])).values()];
}
