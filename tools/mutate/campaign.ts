import type { CheckId, CheckResult } from "./auditor.ts";
import type { Mutant } from "./mutants.ts";
import type { Outcome } from "./outcome.ts";
import type { Tried } from "./table.ts";
import type { AttemptOptions, Worker } from "./worker.ts";

/** Options of {@link runCampaign}. */
export interface CampaignOptions {
  /** Only the mutants' own rows are asked. */
  readonly isNarrow: boolean;
  readonly isThorough: boolean;
  /** What the clean example's checks said before, if that is known. */
  readonly clean: readonly CheckResult[];
  /** Checks that found a mutant before. */
  readonly foundBy: (mutant: Mutant) => readonly CheckId[];
  /** An outcome that is known. */
  readonly known: (mutant: Mutant) => Outcome | undefined;
  /** What is done now, before the mutants. */
  readonly onPhase: (words: string, detail?: () => string) => void;
  readonly onClean: (results: readonly CheckResult[]) => void;
  readonly onTried: (tried: Tried, isKnown: boolean) => void;
  /** Nothing more is to be tried. */
  readonly isStopped: () => boolean;
}

/** Checks that failed although nothing was planted: what they find says nothing. */
export type Alarms = readonly CheckResult[];

/**
 * Audits the clean example, then each mutant, then what found something once more on the clean example: a check that fails there too has
 * found nothing.
 */
export async function runCampaign(
  workers: readonly Worker[],
  mutants: readonly Mutant[],
  options: CampaignOptions,
): Promise<Alarms> {
  options.onPhase("building and starting the clean example");
  await Promise.all(workers.map((worker) => worker.prepare()));
  const rows = options.isNarrow ? [...new Set(mutants.flatMap((mutant) => mutant.rows))] : undefined;
  const clean = options.clean.length > 0 ? options.clean : await auditClean(workers, rows, options.onPhase);
  options.onClean(clean);
  const alarms = clean.filter(({ state }) => state === "failed");
  if (alarms.length > 0) return alarms;
  const able = clean.filter(({ state }) => state === "passed").map(({ check }) => check);
  const finders = await attemptAll(workers, mutants, { ...options, able });
  if (options.isStopped()) return [];
  let done = 0;
  options.onPhase(
    "asking once more on the clean example what found something",
    () => `${done} of ${finders.size} checks done`,
  );
  return auditAgain(workers, finders, () => void done++);
}

async function attemptAll(
  workers: readonly Worker[],
  mutants: readonly Mutant[],
  {
    able,
    isNarrow,
    isThorough,
    foundBy,
    known,
    onPhase,
    onTried,
    isStopped,
  }: CampaignOptions & Pick<AttemptOptions, "able">,
): Promise<ReadonlySet<CheckId>> {
  const pending = [...mutants];
  const finders = new Set<CheckId>();
  const underWay = new Set<string>();
  onPhase("planting each fault", () => `under way ${[...underWay].join(", ")}`);
  const note = (tried: Tried, isKnown: boolean): void => {
    if (tried.outcome.kind === "caught") finders.add(tried.outcome.by);
    onTried(tried, isKnown);
  };
  const work = async (worker: Worker): Promise<void> => {
    for (let mutant = pending.shift(); mutant !== undefined && !isStopped(); mutant = pending.shift()) {
      const before = known(mutant);
      underWay.add(mutant.id);
      const outcome =
        before ?? (await worker.attempt(mutant, { able, isNarrow, isThorough, first: foundBy(mutant) }));
      underWay.delete(mutant.id);
      if (!isStopped()) note({ mutant, outcome }, before !== undefined);
    }
  };
  await Promise.all(workers.map(work));
  return finders;
}

/** Each worker audits a share of the rows: their trees are the same. */
async function auditClean(
  workers: readonly Worker[],
  rows: readonly string[] | undefined,
  onPhase: CampaignOptions["onPhase"],
): Promise<CheckResult[]> {
  let done = 0;
  onPhase("auditing the clean example, with nothing planted", () => `${done} checks done`);
  const shares = workers.map((worker, index) =>
    worker.audit(
      {
        first: [],
        rows: rows ?? [],
        isNarrow: rows !== undefined,
        until: undefined,
        share: { index, of: workers.length },
      },
      () => void done++,
    ),
  );
  return (await Promise.all(shares)).flat();
}

async function auditAgain(
  workers: readonly Worker[],
  checks: ReadonlySet<CheckId>,
  onCheck: () => void,
): Promise<Alarms> {
  const shares = workers.map(async (worker, index) => {
    const first = [...checks].filter((_, place) => place % workers.length === index);
    const order = { first, rows: [], isNarrow: true, until: undefined };
    return first.length === 0 ? [] : worker.audit(order, onCheck);
  });
  return (await Promise.all(shares)).flat().filter(({ state }) => state === "failed");
}
