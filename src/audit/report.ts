import type { Weakening } from "../contract/index.ts";
import type { Evidence } from "./evidence.ts";

/** What is known about a row. `proved` is the only one that says: tested now, and it held. */
export type Verdict = "proved" | "evidenced" | "attested" | "failed" | "unknown";

/** Where a check looks: source or config, built output, the live target. */
export type CheckKind = "source" | "built" | "live";

/** One check of a row, and how it ended. */
export interface AuditCheck {
  name: string;
  kind: CheckKind;
  verdict: "passed" | "failed" | "missing";
  /** How many single observations it made; `evidence` keeps the most telling of them. */
  observations: number;
  evidence: Evidence[];
  /** A command that shows the same again. */
  reproduce: string;
  /** Why the check could not be made, or not in full. */
  missing?: string;
}

/** One item of the checklist. */
export interface AuditRow {
  /** Like `"API-1"`. */
  id: string;
  title: string;
  verdict: Verdict;
  /** Checks that ran to an end. */
  ran: number;
  /** Checks named for the row. */
  of: number;
  checks: AuditCheck[];
}

/** What an audit found. */
export interface AuditReport {
  format: 1;
  target: string;
  /** SHA-256 of the release's manifest, if one was given. */
  release?: string;
  /** ISO 8601. */
  startedAt: string;
  durationMs: number;
  /** Defaults that the contract weakens, with its reasons. */
  weakenings: Weakening[];
  rows: AuditRow[];
  /** Rows by verdict. */
  summary: Record<Verdict, number>;
}

/** Draws a row's verdict from its checks: one failure fails it, and only a full set of passes proves it. */
export function drawVerdict(checks: readonly AuditCheck[]): Pick<AuditRow, "verdict" | "ran" | "of"> {
  const ran = checks.filter((check) => check.verdict !== "missing").length;
  const hasFailed = checks.some((check) => check.verdict === "failed");
  const isComplete = checks.length > 0 && ran === checks.length;
  return { verdict: hasFailed ? "failed" : isComplete ? "proved" : "unknown", ran, of: checks.length };
}

/** Counts rows by verdict. */
export function summarise(rows: readonly AuditRow[]): Record<Verdict, number> {
  const summary: Record<Verdict, number> = { proved: 0, evidenced: 0, attested: 0, failed: 0, unknown: 0 };
  for (const row of rows) summary[row.verdict]++;
  return summary;
}
