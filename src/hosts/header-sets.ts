import type { Header } from "../contract/index.ts";

/** Lists of headers by number: pages share them, and each is written once. */
export interface HeaderSets {
  /** The list's number; the same for the same headers. */
  numberOf(headers: readonly Header[]): number;
  readonly lists: readonly (readonly Header[])[];
}

/** Creates an empty collection of header lists. */
export function createHeaderSets(): HeaderSets {
  const lists: (readonly Header[])[] = [];
  const numbers = new Map<string, number>();
  return {
    lists,
    numberOf(headers) {
      const key = JSON.stringify(headers);
      let number = numbers.get(key);
      if (number === undefined) {
        number = lists.push(headers) - 1;
        numbers.set(key, number);
      }
      return number;
    },
  };
}
