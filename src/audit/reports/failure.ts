import type { Evidence } from "../evidence.ts";
import type { AuditCheck } from "../report.ts";
import { failingEvidence } from "./order.ts";

/** How a check failed. */
export interface Failure {
  /** What shows it. */
  evidence: Evidence[];
  /** Observations that failed; evidence is kept of the first of them. */
  broken: number;
  /** Observations that held all the same. Undefined where the report does not say. */
  held: number | undefined;
}

/** How a check failed; undefined of one that did not. */
export function failureOf(check: AuditCheck): Failure | undefined {
  if (check.state !== "failed") return undefined;
  const { observations, held } = check;
  const evidence = failingEvidence(check);
  return {
    evidence,
    held,
    broken: held === undefined ? evidence.length : Math.max(observations - held, evidence.length),
  };
}
