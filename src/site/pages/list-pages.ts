import type { ContractList } from "../../contract/index.ts";
import { siteError } from "../errors.ts";
import type { ListPage } from "../template/page-props.ts";
import type { ParsedEntry } from "../content/read-entries.ts";

/**
 * Cuts entries into pages: the first at `base`, the second at `base` and `2/`. There is always a first one, so that links to a list hold
 * when it is empty.
 *
 * @throws {CurtainwallError} `SITE_LIST_INVALID` for an entry that can't be sorted
 */
export function listPages(
  entries: readonly ParsedEntry[],
  options: ContractList,
  base: string,
): ListPage<ParsedEntry>[] {
  const sorted = sortEntries(entries, options);
  const total = Math.max(1, Math.ceil(sorted.length / options.size));
  const paths = Array.from({ length: total }, (_, index) => (index === 0 ? base : `${base}${index + 1}/`));
  return paths.map((_, index) => ({
    number: index + 1,
    total,
    count: sorted.length,
    items: sorted.slice(index * options.size, (index + 1) * options.size),
    previous: paths[index - 1],
    next: paths[index + 1],
    paths,
  }));
}

function sortEntries(entries: readonly ParsedEntry[], { by, order }: ContractList): readonly ParsedEntry[] {
  const sign = order === "ascending" ? 1 : -1;
  const byPath = (left: ParsedEntry, right: ParsedEntry): number => (left.path < right.path ? -1 : 1);
  if (by === undefined) return entries.toSorted((left, right) => sign * byPath(left, right));
  const keyed = entries.map((entry) => ({ entry, key: keyOf(entry, by) }));
  const [first] = keyed;
  const other = keyed.find(({ key }) => typeof key !== typeof first?.key);
  if (other !== undefined) throw unsortable(other.entry, by, "which is of another kind than in other files");
  return keyed
    .sort((left, right) =>
      left.key === right.key ? byPath(left.entry, right.entry) : left.key < right.key ? -sign : sign,
    )
    .map(({ entry }) => entry);
}

function keyOf(entry: ParsedEntry, by: string): string | number {
  const data = (entry.data ?? {}) as Readonly<Record<string, unknown>>;
  const value = Object.hasOwn(data, by) ? data[by] : undefined;
  const key = value instanceof Date ? value.getTime() : value;
  if (typeof key === "string" || (typeof key === "number" && !Number.isNaN(key))) return key;
  throw unsortable(entry, by, "and that is no text, number or date");
}

function unsortable({ file }: ParsedEntry, by: string, why: string): Error {
  return siteError("SITE_LIST_INVALID", `its collection's list is sorted by "${by}", ${why}.`, {
    place: { file },
    hint: `Declare ${by} in the collection's schema, without optional(), or sort by another field`,
  });
}
