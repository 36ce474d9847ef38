import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { CheckId } from "./auditor.ts";
import type { Mutant } from "./mutants.ts";
import type { Outcome } from "./outcome.ts";

/** The record of all mutants: `test/mutants/score.json`. */
export interface Score {
  readonly format: 1;
  /** The day of the last run. */
  readonly on: string;
  /** How many runs it is joined from, if more than one: one of all mutants, and others of those that were added or changed since. */
  readonly runs?: number;
  /** Workers, of the run that had most. */
  readonly jobs: number;
  readonly seconds: number;
  /** Checks of the clean example, and how many of them failed. */
  readonly clean: { readonly checks: number; readonly alarms: number };
  readonly mutants: Readonly<Record<string, ScoredMutant>>;
}

export interface ScoredMutant {
  readonly digest: string;
  readonly kind: "caught" | "refused" | "missed";
  /** The check that found it, or the code that it was refused with. */
  readonly by?: CheckId;
  readonly seconds: number;
}

const scoreFile = "test/mutants/score.json";

/** The last record. */
export function readScore(root: string): Score | undefined {
  const file = join(root, scoreFile);
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Score) : undefined;
}

/** Writes the record, and what the README says of it. */
export function writeScore(root: string, score: Score): void {
  writeFileSync(join(root, scoreFile), `${JSON.stringify(score, undefined, 2)}\n`);
  const readme = join(root, "README.md");
  writeFileSync(readme, withScore(readFileSync(readme, "utf8"), score));
}

/** Makes the record of a run in which no mutant was invalid. */
export function scoreOf(
  tried: readonly { mutant: Mutant; outcome: Outcome }[],
  run: Pick<Score, "on" | "jobs" | "seconds" | "clean">,
): Score {
  const mutants = tried.map(({ mutant: { id, digest }, outcome }): [string, ScoredMutant] => {
    if (outcome.kind === "invalid") throw new Error(`${id} is invalid`);
    const { kind, seconds } = outcome;
    return [id, { digest, kind, ...("by" in outcome ? { by: outcome.by } : {}), seconds }];
  });
  return { format: 1, ...run, mutants: Object.fromEntries(mutants) };
}

/**
 * Joins the record of a run of some mutants to the one that there is.
 *
 * @param all every mutant that there is, in the record's order
 * @throws {Error} that names a mutant which neither of the two tried as it is
 */
export function joinScores(before: Score | undefined, run: Score, all: readonly Mutant[]): Score {
  const entries = all.map(({ id, digest }): [string, ScoredMutant] => {
    const known = run.mutants[id] ?? before?.mutants[id];
    if (known?.digest !== digest)
      throw new Error(`${id} was not tried as it is: record it too, or all of them`);
    return [id, known];
  });
  return {
    ...run,
    jobs: Math.max(before?.jobs ?? 0, run.jobs),
    runs: (before?.runs ?? 1) + 1,
    seconds: Math.round((before?.seconds ?? 0) + run.seconds),
    mutants: Object.fromEntries(entries),
  };
}

const begin = "<!-- mutants -->";
const end = "<!-- /mutants -->";

/** The README with what the record says, between its two marks. */
export function withScore(readme: string, score: Score): string {
  const [before, rest] = split(readme, begin);
  const [, after] = split(rest, end);
  return `${before}${begin}\n${describeScore(score)}\n${end}${after}`;
}

/** One sentence: how many faults were planted, and how many found. */
export function describeScore({ mutants, clean, seconds, on, jobs, runs = 1 }: Score): string {
  const all = Object.values(mutants);
  const found = all.filter(({ kind }) => kind !== "missed").length;
  const items = new Set(Object.keys(mutants).map((id) => id.split("/")[0])).size;
  return [
    `\`npm run mutate\` plants ${all.length} faults into the example's stack, one at a time, against ${items} items of the checklist: the audit finds`,
    `**${found} of ${all.length} (${percent(found, all.length)})**, with ${clean.alarms} alarms of ${clean.checks} checks on the clean stack (${Math.ceil(seconds / 60)} minutes${runs === 1 ? "" : ` in ${runs} runs`}, ${jobs} workers, ${on};`,
    `[the faults, and why the others survive](test/mutants/README.md)).`,
  ].join("\n");
}

/** Never rounded up to what it is not. */
export const percent = (part: number, whole: number): string =>
  whole === 0 ? "0 %" : `${(Math.floor((part / whole) * 1000) / 10).toFixed(1)} %`;

function split(text: string, mark: string): [string, string] {
  const at = text.indexOf(mark);
  if (at < 0) throw new Error(`the README has no ${mark}`);
  return [text.slice(0, at), text.slice(at + mark.length)];
}
