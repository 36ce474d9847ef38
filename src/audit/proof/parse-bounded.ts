import { countMembers, scanJson } from "../../shared/index.ts";

/** Far beyond any report of ours: with a thousand pieces of evidence it has ten thousand members, and is ten levels deep. */
const limits = { depth: 32, members: 500_000, elements: 500_000, textLength: Infinity };

/**
 * Parses JSON that somebody else may have written. It is looked over first: of a text that is nothing but brackets, a hundred times its size would be made.
 *
 * @throws {Error} what is wrong with it
 */
export function parseBounded(text: string): unknown {
  // A number that is not read as it is written is none that we wrote either.
  const scanned = scanJson(text, limits);
  if (typeof scanned === "string") throw new Error(`no proof has such JSON (${scanned})`);
  const value = parse(text);
  // Of a name that stands twice readers see one or the other; a prototype's name is none for them and a member for us.
  if (countMembers(value) !== scanned)
    throw new Error(
      "no proof has such JSON (a name twice in one object, or one that reaches for a prototype)",
    );
  return value;
}

/** What a parser says of a text repeats it, and its words differ from one runtime to the next. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error("it is no JSON");
  }
}
