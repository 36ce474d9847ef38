import { begin, reasonOf } from "./check.ts";
import type { Check, Rule } from "./check.ts";
import type { AuditContext } from "./context.ts";
import { createHonestService, withheld } from "./requests/honest-service.ts";
import { drawVerdict } from "./report.ts";
import type { AuditCheck, AuditRow } from "./report.ts";
import { checklist } from "./rows.ts";
import type { ChecklistItem } from "./rows.ts";

/** Told before each check. */
export type RowProgress = (progress: { row: string; what: string; done: number; of: number }) => void;

/** Which rows are audited, and until when. */
export interface AuditedRows {
  /** Rows of the checklist. Undefined: all. */
  chosen: ReadonlySet<string> | undefined;
  /** Rejects when time is up: what is under way then is left, and what is left is missing. */
  over: Promise<never>;
}

/**
 * Runs rules and lays their checks out as the rows of the checklist, in its order. Checks run one after another, since each
 * is charged to the same limits; those that mostly wait run beside them, as does what is left of one that disturbs nobody any more; those of what is here come
 * first. What looks once more comes last.
 */
export async function auditRows(
  rules: readonly Rule[],
  context: AuditContext,
  { chosen, over }: AuditedRows,
  onProgress: RowProgress,
): Promise<AuditRow[]> {
  const items = checklist.filter(({ id }) => chosen?.has(id) ?? true);
  const jobs = rules.flatMap((rule) => rule.checks.map((check) => ({ rule: rule.id, check })));
  const results = await runJobs(jobs, context, over, onProgress);
  return items.map((item) =>
    rowOf(
      item,
      jobs.flatMap(({ rule, check }) => (rule === item.id ? (results.get(check) ?? []) : [])),
      context,
    ),
  );
}

async function runJobs(
  jobs: readonly { rule: string; check: Check }[],
  context: AuditContext,
  over: Promise<never>,
  onProgress: RowProgress,
): Promise<Map<Check, AuditCheck>> {
  const results = new Map<Check, AuditCheck>();
  const serves = createHonestService(context);
  const ending: Promise<unknown>[] = [];
  let isOver = false;
  over.catch(() => (isOver = true));
  const run = async ({ rule, check }: { rule: string; check: Check }): Promise<void> => {
    onProgress({ row: rule, what: check.name, done: results.size, of: jobs.length });
    const todo = isOver ? { ...check, run: () => over } : check;
    const unserved = isOver ? undefined : await Promise.race([serves(check), over]).catch(reasonOf);
    const { ended } = await begin(todo, rule, context, over);
    ending.push(ended.then(({ result }) => results.set(check, withheld(result, unserved))));
  };
  const waiting = Promise.all(jobs.filter(({ check }) => check.isSlow === true).map(run));
  // What is here needs no target, and no target takes its time away.
  const inTurn = jobs.filter(({ check }) => check.isSlow !== true && check.isLast !== true);
  for (const isLive of [false, true])
    for (const job of inTurn) if ((job.check.kind === "live") === isLive) await run(job);
  await waiting;
  await Promise.all(ending);
  for (const job of jobs) if (job.check.isLast === true) await run(job);
  await Promise.all(ending);
  return results;
}

function rowOf(item: ChecklistItem, ran: readonly AuditCheck[], context: AuditContext): AuditRow {
  const awaiting = item.awaiting.map(({ name, kind, missing }): AuditCheck => ({
    name,
    kind,
    state: "missing",
    observations: 0,
    evidence: [],
    reproduce: context.commands.audit(`--only ${item.id}`),
    reason: missing,
  }));
  const checks = [...ran, ...awaiting];
  return { id: item.id, title: item.title, ...drawVerdict(checks), checks };
}
