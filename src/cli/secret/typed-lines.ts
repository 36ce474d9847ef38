/** Lines that are typed on a terminal which shows nothing of them, key by key. */
export interface TypedLines {
  /** Takes what came in; gives the lines that were ended by it. `interrupted`: Ctrl-C. */
  take(text: string): readonly string[] | "interrupted";
  /** Whether a line has begun. */
  readonly isPending: boolean;
}

const enters: ReadonlySet<string> = new Set(["\r", "\n", "\u0004"]);
const erasers: ReadonlySet<string> = new Set(["\u007f", "\b"]);
const controlC = "\u0003";
const controlU = "\u0015";
const escape = "\u001b";

const graphemes = new Intl.Segmenter();

/**
 * Reads keys. What keys without a letter send, and what a terminal puts around a paste, is no text: nobody would see that it became part of a
 * password. Backspace takes away what a person sees as one sign.
 */
export function createTypedLines(): TypedLines {
  let typed = "";
  /** Within what a key like an arrow sends: after ESC, after `ESC [`, and before the one letter of `ESC O`. */
  let sequence: "none" | "begun" | "control" | "single" = "none";

  function isPartOfSequence(key: string): boolean {
    if (key === escape) sequence = "begun";
    else if (sequence === "begun") sequence = key === "[" ? "control" : key === "O" ? "single" : "none";
    // ECMA-48 §5.4: parameters, and one final byte.
    else if (sequence === "single" || (sequence === "control" && key >= "@" && key <= "~")) sequence = "none";
    else return sequence === "control";
    return true;
  }

  return {
    take(text) {
      const lines: string[] = [];
      for (const key of text) {
        if (key === controlC) return "interrupted";
        if (isPartOfSequence(key)) continue;
        if (enters.has(key)) {
          lines.push(typed);
          typed = "";
        } else if (key === controlU) typed = "";
        else if (erasers.has(key)) typed = typed.slice(0, [...graphemes.segment(typed)].at(-1)?.index ?? 0);
        else if (key >= " " || key === "\t") typed += key;
      }
      return lines;
    },
    get isPending() {
      return typed !== "";
    },
  };
}
