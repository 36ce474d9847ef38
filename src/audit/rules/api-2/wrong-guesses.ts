import type { ContractRoute } from "../../../contract/index.ts";
import type { AuditInput } from "../../plan/plan.ts";
import type { Call } from "../../requests/caller.ts";
import { otherText } from "../../requests/other-text.ts";
import { textPlaces } from "../../requests/text-places.ts";

/** A guess, and what was made another in it, if not the plan made it another. */
export interface WrongGuess {
  readonly call: Pick<Call, "input"> & Partial<Call>;
  readonly bent: string | undefined;
}

/** Wrong guesses, each of them another: who guesses sends none twice. */
export interface WrongGuesses {
  next(): WrongGuess;
  /** Whether a guess was bent where the target does not take it for a failure: then that place is bent no more. */
  isUseless(guess: WrongGuess): boolean;
  /** Whether one had to be sent that was sent before: there was nothing to bend. */
  repeats(): boolean;
}

/** Makes guesses from the plan's: as it gives them, and where it gives the same again, one of their texts another that the contract takes. */
export function wrongGuesses(route: ContractRoute, wrong: AuditInput): WrongGuesses {
  const given = new Set<string>();
  const useless = new Set<string>();
  let [count, isRepeated] = [0, false];

  const bend = (input: AuditInput): WrongGuess => {
    const places = textPlaces(route, input).filter(({ name }) => !useless.has(name));
    count++;
    const ways = places.flatMap(({ name, value = "", takes, put }) => {
      const text = otherText(value, count);
      return text !== value && takes(text) ? [{ bent: name, call: { input, ...put(text) } }] : [];
    });
    const way = ways[count % Math.max(1, ways.length)];
    isRepeated ||= way === undefined;
    return way ?? { call: { input }, bent: undefined };
  };

  return {
    next() {
      const body = typeof wrong.body === "function" ? (wrong.body as () => unknown)() : wrong.body;
      const input = { ...wrong, body };
      const written = JSON.stringify(input);
      if (given.has(written)) return bend(input);
      given.add(written);
      return { call: { input }, bent: undefined };
    },
    isUseless({ bent }) {
      if (bent !== undefined) useless.add(bent);
      return bent !== undefined;
    },
    repeats: () => isRepeated,
  };
}
