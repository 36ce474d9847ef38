import { firstTooFew, firstTooMany } from "./edges.ts";
import type { Edge } from "./edges.ts";
import { nearTexts } from "./near-texts.ts";

/**
 * Values just beyond what a schema takes, one for each way to be it.
 *
 * @param isRefused tells whether the schema refuses the whole input with this value in its place
 * @param maxBytes what a body may have: a value that has more by itself is sent by nobody
 */
export const nearly = (
  value: unknown,
  isRefused: (changed: unknown) => boolean,
  maxBytes: number,
): Edge[] => [
  ...edgesOf(value, isRefused, Array.isArray(value) ? elementsIn(maxBytes, value) : undefined),
  ...(typeof value === "string" ? nearTexts(value, isRefused) : []),
];

/** The same of a field that travels as a text, and may be meant as a number. */
export function nearlyAsText(
  text: string,
  isRefused: (changed: string) => boolean,
): { name: string; value: string }[] {
  const asNumbers = /^\d{1,15}$/.test(text)
    ? edgesOf(Number(text), (changed) => isRefused(String(changed)))
    : [];
  const edges = asNumbers.length > 0 ? asNumbers : edgesOf(text, (changed) => isRefused(String(changed)));
  return [...edges, ...nearTexts(text, isRefused)].map(({ name, value }) => ({ name, value: String(value) }));
}

const edgesOf = (value: unknown, isRefused: (changed: unknown) => boolean, maxElements?: number): Edge[] =>
  [firstTooMany(value, isRefused, maxElements), firstTooFew(value, isRefused)].filter(
    (edge) => edge !== undefined,
  );

/** How many elements like these so many bytes of JSON hold at most, each with a comma. */
const elementsIn = (bytes: number, list: readonly unknown[]): number =>
  Math.ceil(bytes / (1 + Math.min(...list.map((element) => JSON.stringify(element).length))));
