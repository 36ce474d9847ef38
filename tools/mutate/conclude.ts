import type { CheckResult } from "./auditor.ts";
import type { Alarms } from "./campaign.ts";
import type { Options } from "./options.ts";
import { readMutants } from "./mutants.ts";
import { describeScore, joinScores, readScore, scoreOf, writeScore } from "./score.ts";
import { table } from "./table.ts";
import type { Tried } from "./table.ts";

export const exitCodes = { done: 0, failed: 1, usage: 2 } as const;

/** Says something to whoever waits. */
export const say = (words: string): void => void process.stderr.write(`${words}\n`);

/** What a run came to. */
export interface Run {
  readonly tried: readonly Tried[];
  readonly clean: readonly CheckResult[];
  readonly alarms: Alarms | "stopped";
  /** The exit code, if it was stopped. */
  readonly stoppedWith: number;
  readonly jobs: number;
  readonly seconds: number;
}

/** Prints what was found, and keeps the record if that was asked for. Returns the exit code. */
export function conclude(root: string, run: Run, { flags, only }: Options): number {
  const { tried, clean, alarms, stoppedWith, jobs, seconds } = run;
  if (flags.json) console.log(JSON.stringify(plain(run), undefined, 2));
  else if (tried.length > 0) console.log(table(tried));
  if (alarms === "stopped") {
    const how = flags.record ? "with --resume too" : "by the same command";
    say(`Stopped after ${seconds} s. What was found is kept: go on ${how}.`);
    return stoppedWith;
  }
  say(`It took ${seconds} s.`);
  for (const { check, words } of alarms)
    say(`An alarm on the clean example, so this is no score: ${check}: ${words}`);
  if (alarms.length > 0 || tried.some(({ outcome }) => outcome.kind === "invalid")) return exitCodes.failed;
  if (flags.record) {
    const on = new Date().toISOString().slice(0, 10);
    const counted = { checks: clean.filter(({ state }) => state === "passed").length, alarms: 0 };
    const ofRun = scoreOf(tried, { on, jobs, seconds, clean: counted });
    const score = only.length > 0 ? joinScores(readScore(root), ofRun, readMutants(root)) : ofRun;
    writeScore(root, score);
    say(describeScore(score));
  }
  return exitCodes.done;
}

/** Counts how the clean example's checks ended. */
export function describeClean(results: readonly CheckResult[]): string {
  const count = (state: CheckResult["state"]): number =>
    results.filter((result) => result.state === state).length;
  return `${count("passed")} checks passed, ${count("failed")} alarms, ${count("missing")} could not be made`;
}

const plain = ({ tried, clean, alarms, jobs, seconds }: Run): unknown => ({
  jobs,
  seconds,
  isStopped: alarms === "stopped",
  alarms: alarms === "stopped" ? [] : alarms,
  clean,
  mutants: tried.map(({ mutant: { id, item, fault, digest, survives }, outcome }) => ({
    id,
    item,
    fault,
    ...(survives === undefined ? {} : { survives }),
    digest,
    ...outcome,
  })),
});
