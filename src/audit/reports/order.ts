import type { Evidence } from "../evidence.ts";
import type { AuditCheck, AuditRow, Verdict } from "../report.ts";

/** Verdicts, the worst first: the order in which people read a report. */
export const verdictOrder: readonly Verdict[] = ["failed", "unknown", "attested", "evidenced", "proved"];

/** How checks end, the worst first. */
export const stateOrder: readonly AuditCheck["state"][] = ["failed", "missing", "passed", "not applicable"];

/** Rows, the worst first; those alike stay in the checklist's order. */
export const worstRowsFirst = (rows: readonly AuditRow[]): AuditRow[] =>
  rows.toSorted((left, right) => verdictOrder.indexOf(left.verdict) - verdictOrder.indexOf(right.verdict));

/** Checks, the worst first; those alike stay in their order. */
export const worstChecksFirst = (checks: readonly AuditCheck[]): AuditCheck[] =>
  checks.toSorted((left, right) => stateOrder.indexOf(left.state) - stateOrder.indexOf(right.state));

/** The evidence of a check that failed which shows how it failed; of others none. */
export const failingEvidence = ({ state, evidence, failing = 1 }: AuditCheck): Evidence[] =>
  state === "failed" ? evidence.slice(0, failing) : [];
