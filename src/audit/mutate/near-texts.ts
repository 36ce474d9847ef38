import type { Edge } from "./edges.ts";

/** Tells whether the schema refuses the whole input with this text in its place. */
type IsRefused = (changed: string) => boolean;
type Way = readonly [name: string, changes: (text: string, isRefused: IsRefused) => readonly string[]];

/** Texts that nearly fit, of the kinds that a pattern, a format or a list of values is there for: what is looked at in part alone takes one of them. */
const ways: readonly Way[] = [
  // A pattern that is not held to its whole text, at its end or at its beginning.
  ["followed by one character too many", (text) => odd.map((one) => text + one)],
  ["after one character too many", (text) => odd.map((one) => one + text)],
  // A pattern whose ends are those of a line (the flag m), and who reads the first line alone, or the last.
  ["followed by a line break and more", (...of) => beforeLine("\nx", ...of)],
  ["followed by CRLF and more", (...of) => beforeLine("\r\nx", ...of)],
  ["followed by U+2028 and more", (...of) => beforeLine("\u2028x", ...of)],
  ["after more and a line break", (...of) => behindLine("x\n", ...of)],
  ["right in its first character alone", (text) => odd.map((one) => firstOf(text).padEnd(text.length, one))],
  // The `@` of an address, the colon of a URL, the dash of a date.
  [
    "without the sign that makes it one",
    (text) => [text.replace("@", ""), text.replace(/[^\p{L}\p{N}]/u, "")],
  ],
  ["a day that there is not", (text) => [text.replace(/^(\d{4})-\d\d-\d\d/, "$1-02-30")]],
];

/** What texts are seldom made of; a schema that takes one of them may refuse another. */
const odd = ["~", "!", "_", "a", "0", "\u00e9", "\u3042"] as const;

const firstOf = (text: string): string => String.fromCodePoint(text.codePointAt(0) ?? 0x61);

/**
 * With another line behind it. Where the text without its end fits too, that is taken: the whole is as long as the text then, so it is refused for what
 * it is and not for its length, and somebody whose pattern is wrong takes it.
 */
function beforeLine(more: string, text: string, isRefused: IsRefused): string[] {
  const shorter = text.slice(0, -more.length);
  return [(shorter !== "" && !isRefused(shorter) ? shorter : text) + more];
}

/** The same with another line before it. */
function behindLine(more: string, text: string, isRefused: IsRefused): string[] {
  const shorter = text.slice(more.length);
  return [more + (shorter !== "" && !isRefused(shorter) ? shorter : text)];
}

/**
 * Texts that are nearly what a schema takes and that it refuses, one for each way to be it.
 *
 * @param isRefused tells whether the schema refuses the whole input with this text in its place
 */
export function* nearTexts(text: string, isRefused: IsRefused): Generator<Edge> {
  if (text === "") return;
  for (const [name, changes] of ways) {
    const value = changes(text, isRefused).find((changed) => changed !== text && isRefused(changed));
    if (value !== undefined) yield { name, value };
  }
}
