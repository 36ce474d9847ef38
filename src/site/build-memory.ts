/** Something that an earlier build made. */
export interface Remembered {
  /** What JSON can say. */
  readonly facts: unknown;
  readonly text: string;
}

/**
 * What a build remembers of the one before: texts by keys that name everything they were made of. What can't be remembered is made
 * anew, so that forgetting costs time and nothing else.
 */
export interface BuildMemory {
  /** A name for data that no other data has. */
  digest(data: string | Uint8Array): string;
  /** A name for what a schema made of front matter; undefined when it holds what can't be compared, like functions. */
  digestValue(value: unknown): string | undefined;
  recall(key: string): Remembered | undefined;
  keep(key: string, facts: unknown, text: string): void;
}
