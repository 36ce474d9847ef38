import type { Weakening } from "../contract/index.ts";
import type { AttackedOption, AttackKind } from "./attack/kinds.ts";
import type { Evidence } from "./evidence.ts";
import type { AuditMend } from "./mends/mends.ts";

/** What is known about a row. `proved` is the only one that says: tested now, and it held. */
export type Verdict = "proved" | "evidenced" | "attested" | "failed" | "unknown";

/** Where a check looks: source or config, built output, the live target. */
export type CheckKind = "source" | "built" | "live";

/** One check of a row, and how it ended. */
export interface AuditCheck {
  name: string;
  kind: CheckKind;
  /**
   * `missing`: it could not be made, or not in full. `not applicable`: the contract, the release or the source has nothing
   * for it to look at; that is no pass, and nothing that a target answers can bring it about.
   */
  state: "passed" | "failed" | "missing" | "not applicable";
  /** Which kind of attack it is, if it is one. */
  attack?: AttackKind;
  /** The option of the contract that it holds the target to. */
  promise?: AttackedOption;
  /** Alone it proves no row: it reads a declaration, or sees to it that honest requests are served. */
  isSupporting?: true;
  /** How many single observations it made; `evidence` keeps the most telling of them. */
  observations: number;
  evidence: Evidence[];
  /** Of a check that failed: so many of `evidence`, from the first, show how. */
  failing?: number;
  /** Of a check that failed: so many of its observations held all the same. They are counted, and no evidence of them is kept. */
  held?: number;
  /** A command that shows the same again. */
  reproduce: string;
  /** What is missing, or why the check does not apply. */
  reason?: string;
}

/** One item of the checklist. */
export interface AuditRow {
  /** Like `"API-1"`. */
  id: string;
  title: string;
  verdict: Verdict;
  /** Checks that ran to an end, whatever they found. */
  ran: number;
  /** Checks that apply. */
  of: number;
  /** Checks that failed. */
  failed: number;
  /** Checks named for the row that have nothing to look at here. */
  notApplicable: number;
  /** Why nothing of the row could be proved although nothing is missing: `"nothing to check: …"`. */
  reason?: string;
  checks: AuditCheck[];
}

/** Which contract was audited, and where it is written. */
export interface ReportContract {
  /** SHA-256 of what it permits; where the site is found is no part of that. */
  digest: string;
  /** The project's folder, seen from the root of its repository; empty for the root itself. */
  folder: string;
  /** The contract's file, seen from the project's folder. */
  file: string;
  /** Where each route is written, by its key: `curtainwall.config.ts:61`. Those that were not found are left out. */
  routes: Record<string, string>;
  /** Where the options are written that failed checks name: by the route's key, or under `stack` those of the whole stack. */
  options?: Record<string, Record<string, string>>;
}

/** What an audit found. */
export interface AuditReport {
  format: 1;
  /** Who wrote the report: `curtainwall 1.2.3`. */
  tool?: string;
  target: string;
  /** Why the target does not answer, and what helps: then nothing that runs was checked. */
  unreachable?: string;
  contract?: ReportContract;
  /** The release in the folder, if one was given, and whether it is the one that is served. */
  release?: {
    /** SHA-256 of its manifest. */
    digest: string;
    served: "as built" | "differs" | "unknown";
    /** Files whose served bytes were compared with the manifest's digests. */
    compared: number;
    of: number;
    /** Which file differs, or why it is not known. */
    reason?: string;
  };
  /** ISO 8601. */
  startedAt: string;
  durationMs: number;
  /** Defaults that the contract weakens, with its reasons. */
  weakenings: Weakening[];
  rows: AuditRow[];
  /** Attempts to break a promise that were made, by kind: the observations of checks that are attacks. */
  attacks?: Partial<Record<AttackKind, number>>;
  /** Code that would mend what failed, where the target is made with something else than Curtainwall that was recognised. */
  mends?: AuditMend[];
  /** Rows by verdict. */
  summary: Record<Verdict, number>;
}

type Drawn = Omit<AuditRow, "id" | "title" | "checks">;

/**
 * Draws a row's verdict from its checks. One failure fails it. It is proved when every check that applies passed and one of
 * them says something of the row by itself; where none of those applies there was nothing to check, which is no proof.
 */
export function drawVerdict(checks: readonly AuditCheck[]): Drawn {
  const applicable = checks.filter(({ state }) => state !== "not applicable");
  const failed = checks.filter(({ state }) => state === "failed").length;
  const passed = checks.filter(({ state }) => state === "passed").length;
  const counts = {
    ran: passed + failed,
    of: applicable.length,
    failed,
    notApplicable: checks.length - applicable.length,
  };
  if (failed > 0) return { verdict: "failed", ...counts };
  const isIdle = applicable.every(({ isSupporting }) => isSupporting === true);
  // What is missing is told as that, and not as nothing.
  if (isIdle && passed === applicable.length)
    return { verdict: "unknown", ...counts, reason: nothingToCheck(checks) };
  return { verdict: passed === applicable.length ? "proved" : "unknown", ...counts };
}

function nothingToCheck(checks: readonly AuditCheck[]): string {
  const idle = checks.filter(
    ({ state, isSupporting }) => state === "not applicable" && isSupporting !== true,
  );
  return `nothing to check: ${[...new Set(idle.map(({ reason }) => reason))].join("; ") || "the row has no check"}`;
}

/** Counts the attempts of attacks that were made. */
export function countAttacks(rows: readonly AuditRow[]): Partial<Record<AttackKind, number>> {
  const counts: Partial<Record<AttackKind, number>> = {};
  for (const { attack, observations } of rows.flatMap(({ checks }) => checks))
    if (attack !== undefined && observations > 0) counts[attack] = (counts[attack] ?? 0) + observations;
  return counts;
}

/** Counts rows by verdict. */
export function summarise(rows: readonly AuditRow[]): Record<Verdict, number> {
  const summary: Record<Verdict, number> = { proved: 0, evidenced: 0, attested: 0, failed: 0, unknown: 0 };
  for (const row of rows) summary[row.verdict]++;
  return summary;
}
