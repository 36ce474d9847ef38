import { appendFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import type { CheckId, CheckResult } from "./auditor.ts";
import type { Mutant } from "./mutants.ts";
import type { Outcome } from "./outcome.ts";

/** What earlier runs found, kept as they go. A run that ended early is gone on with from it. */
export interface Memory {
  /** How it ended in the same sources. */
  outcomeOf(mutant: Mutant, tree: string): Outcome | undefined;
  /** Checks that found it in whatever sources: what is asked first is a matter of speed only. */
  foundBy(mutant: Mutant): readonly CheckId[];
  /** What the checks said of the clean example with the same sources. */
  cleanOf(tree: string): readonly CheckResult[];
  note(entry: Entry): void;
}

type Entry =
  | {
      readonly tree: string;
      readonly id: string;
      readonly digest: string;
      readonly outcome: Outcome;
      /** Not everything was asked, so that it was missed says little. */
      readonly isNarrow: boolean;
    }
  | { readonly tree: string; readonly clean: readonly CheckResult[] };

/** Opens the file that it is kept in: a line each. */
export function openMemory(file: string): Memory {
  mkdirSync(dirname(file), { recursive: true });
  const entries = existsSync(file) ? readFileSync(file, "utf8").split("\n").flatMap(readLine) : [];
  const trials = (mutant: Mutant): Extract<Entry, { id: string }>[] =>
    entries.flatMap((entry) =>
      "id" in entry && entry.id === mutant.id && entry.digest === mutant.digest ? [entry] : [],
    );
  return {
    outcomeOf: (mutant, tree) =>
      trials(mutant).findLast(
        ({ tree: of, outcome, isNarrow }) =>
          of === tree && outcome.kind !== "invalid" && !(isNarrow && outcome.kind === "missed"),
      )?.outcome,
    foundBy: (mutant) => {
      const last = trials(mutant).findLast(({ outcome }) => outcome.kind === "caught")?.outcome;
      return last?.kind === "caught" ? [last.by] : [];
    },
    cleanOf: (tree) =>
      entries.flatMap((entry) => ("clean" in entry && entry.tree === tree ? [entry.clean] : [])).at(-1) ?? [],
    note(entry) {
      entries.push(entry);
      appendFileSync(file, `${JSON.stringify(entry)}\n`);
    },
  };
}

/** The last line may have been cut off. */
function readLine(line: string): Entry[] {
  try {
    return [JSON.parse(line) as Entry];
  } catch {
    return [];
  }
}
