import type { AuditCheck, AuditReport, AuditRow } from "../report.ts";
import { failingEvidence, worstRowsFirst } from "./order.ts";
import { reasonElsewhere } from "./built-elsewhere.ts";
import { isNotYet } from "./not-yet.ts";
import { findingPlace } from "./place.ts";
import { noPlan, withoutWhatFollows } from "../plan/no-plan.ts";
import { counted } from "../../shared/index.ts";

/** Something for whoever reads a report to do. */
export interface NextStep {
  /** Whether another release is served than the folder's, an item failed, or checks were not made. */
  about: "release" | "failure" | "gap";
  /** What, as a sentence. */
  what: string;
  /** Where in the project, if it is known: `curtainwall.config.ts:62, limit of GET /api/x`. */
  where?: string;
  /** A command that helps, or shows it again. */
  command?: string;
  /** Code of the report that mends what failed: places in its `mends`, from 0. */
  mends?: number[];
}

const maxNames = 3;

/**
 * What to do next, the most urgent first: see to what is served being what was built, mend what failed, each item that did, then make up for what
 * kept the most checks from being made. What waits for a later version is nobody's to do.
 */
export function nextSteps(report: AuditReport): NextStep[] {
  return [...servedSteps(report), ...failedSteps(report), ...missingSteps(report)];
}

function servedSteps({ release }: AuditReport): NextStep[] {
  return release?.served === "differs"
    ? [
        {
          about: "release",
          what: "Start the stack again, or build what it serves: what is served is not the folder's release.",
        },
      ]
    : [];
}

function failedSteps(report: AuditReport): NextStep[] {
  return worstRowsFirst(report.rows).flatMap((row) => {
    const [first, ...others] = row.checks.filter(({ state }) => state === "failed");
    return first === undefined ? [] : [mend(report, row, first, others.length)];
  });
}

/** An item's first failure stands for all of them: what mends it often mends the others too. */
function mend(report: AuditReport, row: AuditRow, check: AuditCheck, others: number): NextStep {
  const [evidence] = failingEvidence(check);
  const where = findingPlace(report, check, evidence);
  const more = others === 0 ? "" : `; then ${others} more of ${row.id}`;
  const mends = mendsOf(report, row, check);
  return {
    about: "failure",
    what: `Mend ${row.id}, ${check.name}: ${evidence?.about ?? check.reason ?? row.title}${more}`,
    ...(where === undefined ? {} : { where }),
    command: check.reproduce,
    ...(mends.length === 0 ? {} : { mends }),
  };
}

/** Those of the first failure first. */
function mendsOf({ mends = [] }: AuditReport, { id }: AuditRow, { name }: AuditCheck): number[] {
  const [first, others] = [true, false].map((isFirst) =>
    mends.flatMap(({ checks }, index) => {
      const names = checks.filter(({ row }) => row === id).map((check) => check.name);
      return names.length > 0 && names.includes(name) === isFirst ? [index] : [];
    }),
  );
  return [...(first ?? []), ...(others ?? [])];
}

/** What takes more than this machine and this plan comes after what its reader can do at once. */
const takesMachines = /\b(?:otherAddresses|ipv6Prefix|second host)\b/;

/** What the plan may say, and does not. */
const lacksOfPlan = /\bthe plan(?:'s \w+ (?:name|have|tell|say)| names| has) (?:of )?no/;

/** Limits were used up: they come back by themselves. */
const usedUp = /\banswered 429\b/;
const again = "; audit again in a minute, when limits have come back";

/** A reason that ends in a command has it behind two spaces. */
function missingSteps(report: AuditReport): NextStep[] {
  const missing = report.rows.flatMap((row) =>
    row.checks
      .filter((check) => check.state === "missing" && !isNotYet(check))
      .map((check) => ({ row, check })),
  );
  return [...Map.groupBy(missing, ({ check }) => reasonElsewhere(report, firstReason(check)))]
    .sort(
      ([one, left], [other, right]) =>
        Number(takesMachines.test(one)) - Number(takesMachines.test(other)) || right.length - left.length,
    )
    .map(([reason, found]) => {
      const at = reason.indexOf("  ");
      const [text, command] =
        at < 0 ? [reason, helpOf(reason)] : [reason.slice(0, at), reason.slice(at).trim()];
      const what = `${counted(found.length, "check was", "checks were")} not made (${named(found.map(({ row }) => row.id))}): ${text}${usedUp.test(reason) ? again : ""}`;
      return {
        about: "gap",
        what,
        ...(lacksOfPlan.test(reason) ? { where: "curtainwall.audit.ts" } : {}),
        ...(command === undefined ? {} : { command }),
      };
    });
}

/** Without a plan there is one thing to do, whatever else a check says that it lacks. */
const firstReason = ({ reason = "no reason was given" }: AuditCheck): string => withoutWhatFollows(reason);

const helpOf = (reason: string): string | undefined =>
  reason === noPlan ? "npx curtainwall audit --help" : undefined;

function named(ids: readonly string[]): string {
  const different = [...new Set(ids)];
  const more = different.length - maxNames;
  return `${different.slice(0, maxNames).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}
