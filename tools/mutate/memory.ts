import { appendFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import type { CheckId, CheckResult } from "./auditor.ts";
import type { Mutant } from "./mutants.ts";
import type { Outcome } from "./outcome.ts";

/** What earlier runs found, kept as they go. A run that ended early is gone on with from it. */
export interface Memory {
  /** What was found in the same sources: ever, or since a run of them last came to its end. */
  known(tree: string, since: "ever" | "last end"): Known;
  /** Checks that found it in whatever sources: what is asked first is a matter of speed only. */
  foundBy(mutant: Mutant): readonly CheckId[];
  note(entry: Entry): void;
}

/** What needs not be tried again. */
export interface Known {
  /** A run began that never came to its end. */
  readonly isUnfinished: boolean;
  outcomeOf(mutant: Mutant): Outcome | undefined;
  /** What the checks said of the clean example. */
  readonly clean: readonly CheckResult[];
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
  | { readonly tree: string; readonly clean: readonly CheckResult[] }
  | { readonly tree: string; readonly run: "begun" | "ended" };

/** Opens the file that it is kept in: a line each. */
export function openMemory(file: string): Memory {
  mkdirSync(dirname(file), { recursive: true });
  const text = existsSync(file) ? readFileSync(file, "utf8") : "";
  // The last line may have been cut off: what is noted next begins one of its own.
  if (text !== "" && !text.endsWith("\n")) appendFileSync(file, "\n");
  const entries = text.split("\n").flatMap(readLine);
  return {
    known(tree, since) {
      const own = entries.filter((entry) => entry.tree === tree);
      const lastEnd = own.findLastIndex((entry) => "run" in entry && entry.run === "ended");
      return knownFrom(since === "ever" ? own : own.slice(lastEnd + 1));
    },
    foundBy: (mutant) => {
      const last = trialsOf(mutant, entries).findLast(({ outcome }) => outcome.kind === "caught")?.outcome;
      return last?.kind === "caught" ? [last.by] : [];
    },
    note(entry) {
      entries.push(entry);
      appendFileSync(file, `${JSON.stringify(entry)}\n`);
    },
  };
}

const knownFrom = (entries: readonly Entry[]): Known => ({
  isUnfinished: entries.some((entry) => "run" in entry && entry.run === "begun"),
  outcomeOf: (mutant) =>
    trialsOf(mutant, entries).findLast(
      ({ outcome, isNarrow }) => outcome.kind !== "invalid" && !(isNarrow && outcome.kind === "missed"),
    )?.outcome,
  clean: entries.flatMap((entry) => ("clean" in entry ? [entry.clean] : [])).at(-1) ?? [],
});

const trialsOf = (mutant: Mutant, entries: readonly Entry[]): Extract<Entry, { id: string }>[] =>
  entries.flatMap((entry) =>
    "id" in entry && entry.id === mutant.id && entry.digest === mutant.digest ? [entry] : [],
  );

function readLine(line: string): Entry[] {
  try {
    return [JSON.parse(line) as Entry];
  } catch {
    return [];
  }
}
