/**
 * Works on a list's entries some steps ahead of whoever takes the results, which come in the list's order: all cores are busy, and no
 * more than `width` results wait.
 */
export async function* ahead<Entry, Result>(
  entries: readonly Entry[],
  width: number,
  work: (entry: Entry) => Promise<Result>,
): AsyncGenerator<Result> {
  const open: Promise<Result>[] = [];
  let next = 0;
  while (next < entries.length || open.length > 0) {
    for (; next < entries.length && open.length < width; next++) {
      const result = work(entries[next] as Entry);
      // One that fails is told when its turn comes, or never, if an earlier one ended everything.
      result.catch(() => undefined);
      open.push(result);
    }
    yield await (open.shift() as Promise<Result>);
  }
}
