import { join } from "node:path";
import type { CheckResult } from "./auditor.ts";
import { runCampaign } from "./campaign.ts";
import type { Alarms } from "./campaign.ts";
import { conclude, describeClean, say } from "./conclude.ts";
import { freePorts } from "./free-ports.ts";
import { onInterrupt } from "./interrupt.ts";
import { openMemory } from "./memory.ts";
import type { Known } from "./memory.ts";
import type { Mutant } from "./mutants.ts";
import type { Options } from "./options.ts";
import { findPrograms } from "./programs.ts";
import { readScore } from "./score.ts";
import { tellEstimate, tellPhases } from "./tell-progress.ts";
import { describeTried } from "./table.ts";
import type { Tried } from "./table.ts";
import { claimSoleRun } from "./sole-run.ts";
import { makeTree } from "./tree.ts";
import { openWorker } from "./worker.ts";
import type { Worker } from "./worker.ts";

/** Tries mutants, tells of each, and ends what it started, whatever happens. Returns the exit code. */
export async function tryAll(root: string, mutants: readonly Mutant[], options: Options): Promise<number> {
  const { narrow, thorough } = options.flags;
  const started = performance.now();
  const seconds = (): number => Math.round((performance.now() - started) / 1000);
  const jobs = Math.min(options.jobs, mutants.length);
  say(`Mutants: ${mutants.length}. Workers: ${jobs}. Copying the sources …`);
  const state = join(root, ".curtainwall/mutate");
  const giveBack = claimSoleRun(join(state, "process"));
  const interrupt = onInterrupt(say);
  const { workers, digest: tree } = await openWorkers(root, state, jobs, options.at);
  const memory = openMemory(join(state, "memory.jsonl"));
  const known = takeOver(memory.known(tree, options.flags.resume ? "ever" : "last end"), mutants, options);
  memory.note({ tree, run: "begun" });
  const recorded = readScore(root)?.mutants ?? {};
  const width = Math.max(...mutants.map(({ id }) => id.length));
  const tried: Tried[] = [];
  const clean: CheckResult[] = [];
  const phase = tellPhases(say);
  let estimate = tellEstimate(say);
  let alarms: Alarms | "stopped";
  try {
    const campaign = runCampaign(workers, mutants, {
      isNarrow: narrow,
      isThorough: thorough,
      clean: known?.clean ?? [],
      known: (mutant) => known?.outcomeOf(mutant),
      foundBy: (mutant) => {
        const { by, digest } = recorded[mutant.id] ?? {};
        const before = by !== undefined && digest === mutant.digest ? [by] : [];
        return [...new Set([...memory.foundBy(mutant), ...before])];
      },
      onPhase: phase.begin,
      onClean: (results) => {
        phase.end();
        clean.push(...results);
        // A share of the rows would be taken for all of them.
        if (!narrow) memory.note({ tree, clean });
        estimate = tellEstimate(say);
        say(`The clean example: ${describeClean(clean)}, after ${seconds()} s.`);
      },
      isStopped: interrupt.isStopped,
      onTried: (each, isKnown) => {
        tried.push(each);
        const { id, digest } = each.mutant;
        if (!isKnown) memory.note({ tree, id, digest, outcome: each.outcome, isNarrow: narrow });
        say(`${String(tried.length).padStart(4)} of ${mutants.length}  ${describeTried(each, width)}`);
        if (!isKnown) estimate(tried.length, mutants.length);
        phase.heard();
      },
    });
    alarms = await Promise.race([campaign, interrupt.promise]);
    if (alarms === "stopped") {
      // What is under way fails as its processes end.
      const over = campaign.catch(() => undefined);
      await Promise.all(workers.map((worker) => worker.close()));
      await over;
    } else memory.note({ tree, run: "ended" });
  } finally {
    phase.end();
    await Promise.all(workers.map((worker) => worker.close()));
    interrupt.forget();
    giveBack();
  }
  const order = new Map(mutants.map(({ id }, index) => [id, index]));
  const placeOf = ({ mutant }: Tried): number => order.get(mutant.id) ?? 0;
  const sorted = tried.toSorted((one, other) => placeOf(one) - placeOf(other));
  const stoppedWith = interrupt.exitCode();
  return conclude(root, { tried: sorted, clean, alarms, stoppedWith, jobs, seconds: seconds() }, options);
}

/** What was found before counts where that is asked for, and where a run of the same sources was stopped or killed; a score that is recorded is asked for. */
function takeOver(known: Known, mutants: readonly Mutant[], { flags }: Options): Known | undefined {
  const isGoneOnWith = flags.resume || (known.isUnfinished && !flags.anew && !flags.record);
  if (!isGoneOnWith) return undefined;
  const count = mutants.filter((mutant) => known.outcomeOf(mutant) !== undefined).length;
  const help = flags.resume ? "" : " From the beginning:  npm run mutate -- --anew";
  say(
    `Going on where an earlier run ended: ${count} of ${mutants.length} are known in these sources.${help}`,
  );
  return known;
}

async function openWorkers(
  root: string,
  state: string,
  jobs: number,
  at: string | undefined,
): Promise<{ workers: Worker[]; digest: string }> {
  const portsOfOne = 6;
  const ports = await freePorts(portsOfOne * jobs);
  const trees = Array.from({ length: jobs }, (_, index) =>
    makeTree(root, join(state, `worker-${index + 1}`), at),
  );
  const [first] = trees;
  const find = await findPrograms(first?.folder ?? root);
  const workers = trees.map((tree, index) =>
    openWorker(tree, find, {
      ports: ports.slice(index * portsOfOne, (index + 1) * portsOfOne),
      code: join(state, "code"),
    }),
  );
  return { workers, digest: first?.digest ?? "" };
}
