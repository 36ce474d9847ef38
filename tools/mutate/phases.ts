import type { Check } from "../../src/audit/check.ts";
import { rules } from "../../src/audit/rules/index.ts";
import type { AuditOrder, CheckId } from "./auditor.ts";

/** A check that is to run. */
export interface Job {
  readonly id: CheckId;
  readonly row: string;
  readonly check: Check;
}

/**
 * What runs one after the other: what found it before, the rows it belongs to, the rest with what takes longest at its end. What looks once more at what others
 * began comes last, also where it found something before: alone it may see nothing.
 */
export function phasesOf({ first, rows, isNarrow, share }: Omit<AuditOrder, "until">): Job[][] {
  const mine = shareOf(
    rules.map(({ id }) => id).toSorted((one, other) => Number(isLong(other)) - Number(isLong(one))),
    share,
  );
  const jobs = rules.flatMap(({ id: row, checks }) =>
    checks.map((check): Job => ({ id: `${row} ${check.name}`, row, check })),
  );
  const hinted = first.flatMap((id) => jobs.filter((job) => job.id === id));
  const asked = jobs.filter(({ row }) => mine.has(row) && (!isNarrow || rows.includes(row)));
  const others = asked.filter((job) => job.check.isLast !== true && !hinted.includes(job));
  const rest = others.filter(({ row }) => !rows.includes(row));
  return [
    hinted,
    others.filter(({ row }) => rows.includes(row)),
    rest.filter(({ row }) => !isLong(row)),
    rest.filter(({ row }) => isLong(row)),
    asked.filter(({ check }) => check.isLast === true),
  ];
}

const isLong = (row: string): boolean => row === "FE-2" || row === "API-2";

const shareOf = (
  rows: readonly string[],
  { index, of }: AuditOrder["share"] = { index: 0, of: 1 },
): ReadonlySet<string> => new Set(rows.filter((_, place) => place % of === index));
