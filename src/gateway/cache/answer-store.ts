/** An answer that may be used again, or the mark that answers like this one may not. */
export interface StoredAnswer {
  readonly key: string;
  /** The path that it was asked for, without the query. */
  readonly path: string;
  readonly storedAt: number;
  readonly freshUntil: number;
  /** Until when it stands in for an upstream that fails. */
  readonly staleUntil: number;
  /** How old it was when it came. */
  readonly ageMs: number;
  /** Undefined: what comes for this key is each one's own. */
  readonly answer: StoredContent | undefined;
}

/** What is kept of an answer: its text, read anew each time, so that no two requests share an object. */
export interface StoredContent {
  readonly status: number;
  readonly text: string | undefined;
  /** Declared ones, by lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Options of {@link createAnswerStore}. */
export interface AnswerStoreOptions {
  /** What all entries together may take, in bytes. */
  maxBytes: number;
  maxEntries: number;
}

/** Answers by key, as many as there is room for. */
export interface AnswerStore {
  get(key: string): StoredAnswer | undefined;
  /** Keeps an answer if it is small enough; others give way. */
  put(stored: StoredAnswer): void;
  /** Forgets all answers of a path, whatever the query and whoever they are for. */
  forget(path: string): void;
  /** What they take, estimated upwards. */
  readonly bytes: number;
  readonly size: number;
}

interface Entry {
  readonly stored: StoredAnswer;
  readonly bytes: number;
  isProven: boolean;
}

/** Objects, maps and sets around an entry, estimated upwards. */
const overheadBytes = 512;
/** No entry takes more than one part in so many. */
const partsOfRoom = 16;
/** What was asked for again keeps four fifths of the room: nobody pushes it out with answers that only he asks for, once. */
const provenPart = 0.8;

/** Creates an {@link AnswerStore}: those that were used again are kept longest; of equals the one that was not used for longest goes first. */
export function createAnswerStore({ maxBytes, maxEntries }: AnswerStoreOptions): AnswerStore {
  // A map keeps its order: the first is the one not used for longest.
  const fresh = new Map<string, Entry>();
  const proven = new Map<string, Entry>();
  const byPath = new Map<string, Set<Entry>>();
  let bytes = 0;
  let provenBytes = 0;

  function add(entry: Entry): void {
    (entry.isProven ? proven : fresh).set(entry.stored.key, entry);
    if (entry.isProven) provenBytes += entry.bytes;
  }

  function take(entry: Entry): void {
    (entry.isProven ? proven : fresh).delete(entry.stored.key);
    if (entry.isProven) provenBytes -= entry.bytes;
  }

  function remove(entry: Entry): void {
    take(entry);
    bytes -= entry.bytes;
    const { path } = entry.stored;
    const others = byPath.get(path);
    others?.delete(entry);
    if (others?.size === 0) byPath.delete(path);
  }

  function prove(entry: Entry): void {
    take(entry);
    entry.isProven = true;
    add(entry);
    while (provenBytes > maxBytes * provenPart || proven.size > maxEntries * provenPart) {
      const oldest = firstOf(proven) as Entry;
      take(oldest);
      oldest.isProven = false;
      add(oldest);
    }
  }

  const find = (key: string): Entry | undefined => proven.get(key) ?? fresh.get(key);

  return {
    get(key) {
      const entry = find(key);
      if (entry !== undefined) prove(entry);
      return entry?.stored;
    },
    put(stored) {
      const before = find(stored.key);
      if (before !== undefined) remove(before);
      const entry: Entry = { stored, bytes: bytesOf(stored), isProven: before?.isProven ?? false };
      if (entry.bytes > maxBytes / partsOfRoom) return;
      while (bytes + entry.bytes > maxBytes || fresh.size + proven.size >= maxEntries)
        remove((firstOf(fresh) ?? firstOf(proven)) as Entry);
      bytes += entry.bytes;
      add(entry);
      const others = byPath.get(stored.path);
      if (others === undefined) byPath.set(stored.path, new Set([entry]));
      else others.add(entry);
    },
    forget(path) {
      for (const entry of byPath.get(path) ?? []) remove(entry);
    },
    get bytes() {
      return bytes;
    },
    get size() {
      return fresh.size + proven.size;
    },
  };
}

const firstOf = (entries: ReadonlyMap<string, Entry>): Entry | undefined => entries.values().next().value;

/** Two bytes a letter, which is the most that it takes. */
function bytesOf({ key, path, answer }: StoredAnswer): number {
  const headers = Object.entries(answer?.headers ?? {}).reduce(
    (sum, [name, value]) => sum + name.length + value.length,
    0,
  );
  return overheadBytes + 2 * (key.length + path.length + (answer?.text?.length ?? 0) + headers);
}
