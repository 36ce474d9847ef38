import { isCurtainwallError } from "../shared/index.ts";
import type { Attack } from "./attack/kinds.ts";
import type { AuditContext } from "./context.ts";
import { printable, printableThroughout } from "./evidence.ts";
import type { Evidence } from "./evidence.ts";
import type { AuditCheck, CheckKind } from "./report.ts";

/** What is left of a check once it has sent all that may disturb another: it looks, or waits, beside what comes next. */
export type Rest = () => Promise<void>;

/** A check named for a row. */
export interface Check {
  name: string;
  kind: CheckKind;
  /** Sends what a visitor would not: runs only where the host's ownership is proved. */
  isActive?: boolean;
  /** What it attacks, if it is an attack: `curtainwall attack` runs these. */
  attack?: Attack;
  /** Looks at the transport only, so it says something of a target whose certificate does not verify. */
  isTransport?: boolean;
  /** Waits more than it works, so it runs beside the others. */
  isSlow?: boolean;
  /** Looks once more at what another began, so it runs when all others have. */
  isLast?: boolean;
  /** Alone it proves no row: see {@link AuditCheck.isSupporting}. */
  isSupporting?: boolean;
  /** Says why there is nothing for it to look at, if so: from what was declared and built, never from what the target says. */
  notApplicable?(context: AuditContext): string | undefined;
  /**
   * Says what it takes that the plan may give and does not, if so: a second host, a network to come from. An audit misses it then; an attack
   * leaves it out, and says so.
   */
  lacks?(context: AuditContext): string | undefined;
  run(context: AuditContext, tally: Tally): Promise<Rest | void>;
}

/** All checks of a row of the checklist. */
export interface Rule {
  id: string;
  checks: readonly Check[];
}

type Outcome = Pick<AuditCheck, "state" | "observations" | "evidence" | "failing" | "held" | "reason">;

/** Why a check that saw nothing is missing. */
export const nothingSeen = "there was nothing to look at";

const maxPassing = 6;
const maxFailing = 20;
const maxReasons = 6;
const maxReason = 400;

/** Collects what a check sees. What is not observed is not passed: a tally without observations is missing. */
export class Tally {
  readonly #passing: Evidence[] = [];
  readonly #failing: Evidence[] = [];
  readonly #missing = new Set<string>();
  readonly #notApplicable = new Set<string>();
  #observations = 0;
  #broken = 0;

  /** Observations that failed. Evidence is kept of the first of them. */
  get broken(): number {
    return this.#broken;
  }

  pass(evidence: Evidence): void {
    this.#observations++;
    if (this.#passing.length < maxPassing) this.#passing.push(printableThroughout(evidence));
  }

  fail(evidence: Evidence): void {
    this.#observations++;
    this.#broken++;
    if (this.#failing.length < maxFailing) this.#failing.push(printableThroughout(evidence));
  }

  /** Passes or fails, by the condition. */
  expect(holds: boolean, evidence: Evidence): void {
    if (holds) this.pass(evidence);
    else this.fail(evidence);
  }

  /** Part of the check could not be made. */
  miss(reason: string): void {
    this.#missing.add(printable(reason, maxReason));
  }

  /** Part of the check has nothing to look at. The check as a whole does not apply only if nothing else was seen or missed. */
  notApplicable(reason: string): void {
    this.#notApplicable.add(reason);
  }

  outcome(): Outcome {
    // Among what failed, what held would look like more of it: it is counted.
    const evidence = this.#failing.length > 0 ? this.#failing : this.#passing;
    const end = (state: AuditCheck["state"], reasons?: ReadonlySet<string>): Outcome => ({
      state,
      observations: this.#observations,
      evidence: [...evidence],
      ...(reasons === undefined || reasons.size === 0
        ? {}
        : { reason: [...reasons].slice(0, maxReasons).join("; ") }),
    });
    if (this.#failing.length > 0)
      return {
        ...end("failed", this.#missing),
        failing: this.#failing.length,
        held: this.#observations - this.#broken,
      };
    if (this.#missing.size > 0) return end("missing", this.#missing);
    if (this.#observations > 0) return end("passed");
    if (this.#notApplicable.size > 0) return end("not applicable", this.#notApplicable);
    return end("missing", new Set([nothingSeen]));
  }
}

/** Runs one check. Whatever it throws makes it missing: no error is a pass. */
export async function runCheck(check: Check, rule: string, context: AuditContext): Promise<AuditCheck> {
  return (await attempt(check, rule, context)).result;
}

/** A check that was run, with how many observations failed. */
export interface Attempt {
  result: AuditCheck;
  broken: number;
}

/** A check that disturbs nobody any more. */
export interface Begun {
  ended: Promise<Attempt>;
}

/** Runs one check to its end, and says how many of its observations failed. */
export async function attempt(...input: Parameters<typeof begin>): Promise<Attempt> {
  return (await begin(...input)).ended;
}

/**
 * Runs one check until it disturbs nobody any more: what is left of it goes on by itself.
 *
 * @param over rejects when it must end: what was seen until then counts, the rest is missing for the reason that it rejects with
 */
export async function begin(
  check: Check,
  rule: string,
  context: AuditContext,
  over?: Promise<never>,
): Promise<Begun> {
  const tally = new Tally();
  const idle = check.notApplicable?.(context);
  const refusal = obstacle(check, context) ?? check.lacks?.(context);
  const inTime = async <Result>(running: Promise<Result>): Promise<Result | undefined> => {
    try {
      return await (over === undefined ? running : Promise.race([running, over]));
    } catch (error) {
      tally.miss(reasonOf(error));
      return undefined;
    }
  };
  let rest: Rest | void = undefined;
  if (idle !== undefined) tally.notApplicable(idle);
  else if (refusal !== undefined) tally.miss(refusal);
  else rest = await inTime(check.run(context, tally));
  const end = async (): Promise<Attempt> => {
    if (rest !== undefined) await inTime(rest());
    return concluded(check, rule, context, tally);
  };
  return { ended: end() };
}

function concluded(check: Check, rule: string, context: AuditContext, tally: Tally): Attempt {
  const { name, kind, attack, isSupporting } = check;
  const outcome = tally.outcome();
  return {
    result: {
      name,
      kind,
      ...(attack === undefined || attack.isControl === true ? {} : { attack: attack.kind }),
      ...(attack === undefined ? {} : { promise: attack.promise }),
      ...(isSupporting === true ? { isSupporting } : {}),
      ...outcome,
      reproduce: reproduction(outcome, rule, context),
    },
    broken: tally.broken,
  };
}

function obstacle(check: Check, { unreachable, isLoopback }: AuditContext): string | undefined {
  if (check.kind !== "live") return undefined;
  if (unreachable !== undefined && (unreachable.isSilent || check.isTransport !== true))
    return unreachable.reason;
  if (check.isActive === true && !isLoopback) return "ownership of host not proved";
  return undefined;
}

/** An error in words for the report. */
export function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return printable(isCurtainwallError(error) ? text : `the check threw: ${text}`, 300);
}

function reproduction({ state, evidence }: Outcome, rule: string, { commands }: AuditContext): string {
  const first = state === "failed" ? evidence[0] : undefined;
  if (first?.kind === "exchange" && first.reproduce !== undefined) return first.reproduce;
  if (first?.kind === "command") return commands.inFolder(first.command);
  return commands.audit(`--only ${rule}`);
}
