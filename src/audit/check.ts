import { isCurtainwallError } from "../shared/index.ts";
import type { AuditContext } from "./context.ts";
import { printable, printableThroughout } from "./evidence.ts";
import type { Evidence } from "./evidence.ts";
import type { AuditCheck, CheckKind } from "./report.ts";

/** A check named for a row. */
export interface Check {
  name: string;
  kind: CheckKind;
  /** Sends what a visitor would not: runs only where the host's ownership is proved. */
  isActive?: boolean;
  /** Looks at the transport only, so it says something of a target that gives no answer. */
  isTransport?: boolean;
  /** Waits more than it works, so it runs beside the others. */
  isSlow?: boolean;
  /** Whether the row names it at all, given the options. Default: yes. */
  applies?(context: AuditContext): boolean;
  run(context: AuditContext, tally: Tally): Promise<void>;
}

/** All checks of a row of the checklist. */
export interface Rule {
  id: string;
  checks: readonly Check[];
}

const maxPassing = 6;
const maxFailing = 20;

/** Collects what a check sees. What is not observed is not passed: a tally without observations is missing. */
export class Tally {
  readonly #passing: Evidence[] = [];
  readonly #failing: Evidence[] = [];
  readonly #missing: string[] = [];
  #observations = 0;

  pass(evidence: Evidence): void {
    this.#observations++;
    if (this.#passing.length < maxPassing) this.#passing.push(printableThroughout(evidence));
  }

  fail(evidence: Evidence): void {
    this.#observations++;
    if (this.#failing.length < maxFailing) this.#failing.push(printableThroughout(evidence));
  }

  /** Passes or fails, by the condition. */
  expect(holds: boolean, evidence: Evidence): void {
    if (holds) this.pass(evidence);
    else this.fail(evidence);
  }

  /** Part of the check could not be made. */
  miss(reason: string): void {
    if (!this.#missing.includes(reason)) this.#missing.push(reason);
  }

  /** The contract gives this check nothing to look at, and that itself is the observation. */
  notApplicable(about: string, at: string): void {
    this.pass({ kind: "contract", about, at });
  }

  outcome(): Pick<AuditCheck, "verdict" | "observations" | "evidence" | "missing"> {
    const missing = this.#missing.slice(0, 6).join("; ");
    const isMissing = missing !== "" || this.#observations === 0;
    return {
      verdict: this.#failing.length > 0 ? "failed" : isMissing ? "missing" : "passed",
      observations: this.#observations,
      evidence: [...this.#failing, ...this.#passing.slice(0, this.#failing.length > 0 ? 2 : maxPassing)],
      ...(isMissing ? { missing: missing === "" ? "there was nothing to look at" : missing } : {}),
    };
  }
}

/** Runs one check. Whatever it throws makes it missing: no error is a pass. */
export async function runCheck(check: Check, rule: string, context: AuditContext): Promise<AuditCheck> {
  const tally = new Tally();
  const refusal = obstacle(check, context);
  if (refusal !== undefined) tally.miss(refusal);
  else {
    try {
      await check.run(context, tally);
    } catch (error) {
      tally.miss(reasonOf(error));
    }
  }
  const outcome = tally.outcome();
  return { name: check.name, kind: check.kind, ...outcome, reproduce: reproduction(outcome, rule, context) };
}

function obstacle(check: Check, context: AuditContext): string | undefined {
  if (check.kind !== "live") return undefined;
  if (context.unreachable !== undefined && check.isTransport !== true) return context.unreachable;
  if (check.isActive === true && !context.isLoopback) return "ownership of host not proved";
  return undefined;
}

/** An error in words for the report. */
export function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return printable(isCurtainwallError(error) ? text : `the check threw: ${text}`, 300);
}

function reproduction(
  outcome: Pick<AuditCheck, "verdict" | "evidence">,
  rule: string,
  context: AuditContext,
): string {
  const first = outcome.verdict === "failed" ? outcome.evidence[0] : undefined;
  if (first?.kind === "exchange") return first.reproduce;
  if (first?.kind === "command") return first.command;
  return `npx curtainwall audit ${context.target.origin} --only ${rule}`;
}
