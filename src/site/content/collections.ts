import type { BuildMemory } from "../build-memory.ts";
import type { ParsedEntry } from "./read-entries.ts";
import type { Entry } from "../template/page-props.ts";

/** The entries of a site by collection, and names for what is in them. */
export interface EntryLists {
  readonly lists: Readonly<Record<string, readonly ParsedEntry[]>>;
  /** Names all that a template can see of a collection; undefined when that can't be told. */
  digestOf(collection: string): string | undefined;
}

/** Sorts entries into their collections, each by path. */
export function listEntries(
  entries: readonly ParsedEntry[],
  collections: readonly string[],
  memory: BuildMemory | undefined,
): EntryLists {
  const lists: Record<string, ParsedEntry[]> = Object.fromEntries(collections.map((name) => [name, []]));
  for (const entry of entries) lists[entry.collection]?.push(entry);
  for (const list of Object.values(lists)) list.sort((left, right) => (left.path < right.path ? -1 : 1));
  const digests = new Map<string, string | undefined>();
  return {
    lists,
    digestOf(collection) {
      if (!digests.has(collection)) {
        const all = lists[collection]?.map(({ digest }) => digest) ?? [];
        digests.set(collection, all.includes(undefined) ? undefined : memory?.digest(all.join()));
      }
      return digests.get(collection);
    },
  };
}

/** The collections as one page sees them: what it looks at is noted in `seen`. */
export function watchCollections(
  lists: EntryLists["lists"],
  seen: Set<string>,
): Readonly<Record<string, readonly Entry[]>> {
  const watched: Record<string, readonly Entry[]> = {};
  for (const [name, list] of Object.entries(lists)) {
    Object.defineProperty(watched, name, {
      enumerable: true,
      get() {
        seen.add(name);
        return list;
      },
    });
  }
  return watched;
}
