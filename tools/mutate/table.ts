import { styleText } from "node:util";
import type { Mutant } from "./mutants.ts";
import type { Outcome } from "./outcome.ts";
import { percent } from "./score.ts";

/** A mutant that was tried. */
export interface Tried {
  readonly mutant: Mutant;
  readonly outcome: Outcome;
}

const styles = { caught: "green", refused: "green", missed: "red", invalid: "yellow" } as const;

/** One mutant in a line. */
export function describeTried({ mutant, outcome }: Tried, width: number): string {
  const kind = styleText(styles[outcome.kind], outcome.kind.padEnd(7));
  const seconds = `${outcome.seconds.toFixed(1)} s`.padStart(8);
  return `${mutant.id.padEnd(width)}  ${kind} ${seconds}  ${wordsOf(mutant, outcome)}`;
}

function wordsOf({ survives }: Mutant, outcome: Outcome): string {
  switch (outcome.kind) {
    case "caught":
      return outcome.isElsewhere === true ? `${outcome.by} (another row)` : outcome.by;
    case "refused":
      return outcome.by;
    case "missed":
      return survives === undefined ? `by ${outcome.checks} checks` : `explained: ${survives}`;
    case "invalid":
      return outcome.words.split("\n").slice(0, 3).join(" ⏎ ");
  }
}

/** All of them, by item, and the sum. */
export function table(tried: readonly Tried[]): string {
  const width = Math.max(...tried.map(({ mutant }) => mutant.id.length));
  const items = Map.groupBy(tried, ({ mutant }) => mutant.item);
  return [
    ...tried.map((each) => describeTried(each, width)),
    "",
    ...[...items].map(([item, of]) => `${item.padEnd(8)} ${sum(of)}`),
    `${"in all".padEnd(8)} ${sum(tried)}`,
  ].join("\n");
}

function sum(tried: readonly Tried[]): string {
  const count = (...kinds: Outcome["kind"][]): number =>
    tried.filter(({ outcome }) => kinds.includes(outcome.kind)).length;
  const found = count("caught", "refused");
  const valid = tried.length - count("invalid");
  const invalid = valid === tried.length ? "" : `, ${tried.length - valid} invalid`;
  const explained = tried.filter(
    ({ mutant, outcome }) => outcome.kind === "missed" && mutant.survives !== undefined,
  ).length;
  const missed = valid - found;
  return `${found} of ${valid} found (${percent(found, valid)}), ${missed} missed${explained === 0 ? "" : `, ${explained} of them explained`}${invalid}`;
}
