import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { CheckId } from "./auditor.ts";
import type { Mutant } from "./mutants.ts";
import type { Outcome } from "./outcome.ts";

/** The record of a run of all mutants: `test/mutants/score.json`. */
export interface Score {
  readonly format: 1;
  /** The day. */
  readonly on: string;
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

const begin = "<!-- mutants -->";
const end = "<!-- /mutants -->";

/** The README with what the record says, between its two marks. */
export function withScore(readme: string, score: Score): string {
  const [before, rest] = split(readme, begin);
  const [, after] = split(rest, end);
  return `${before}${begin}\n${describeScore(score)}\n${end}${after}`;
}

/** One sentence: how many faults were planted, and how many found. */
export function describeScore({ mutants, clean, seconds, on, jobs }: Score): string {
  const all = Object.values(mutants);
  const found = all.filter(({ kind }) => kind !== "missed").length;
  const items = new Set(Object.keys(mutants).map((id) => id.split("/")[0])).size;
  return [
    `\`npm run mutate\` plants ${all.length} faults into the example's stack, one at a time, against ${items} items of the checklist: the audit finds`,
    `**${found} of ${all.length} (${percent(found, all.length)})**, with ${clean.alarms} alarms of ${clean.checks} checks on the clean stack (${Math.ceil(seconds / 60)} minutes, ${jobs} workers, ${on};`,
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
