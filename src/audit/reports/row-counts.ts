import { counted } from "../../shared/index.ts";
import type { AuditRow } from "../report.ts";
import { isAllNotYet } from "./not-yet.ts";

/** Options of {@link rowCounts}. */
export interface RowCountsOptions {
  /** Leaves out what a narrow column has no room for: the word "checks", and how many don't apply. Default false. */
  isShort?: boolean;
}

type Counted = Pick<AuditRow, "verdict" | "ran" | "of" | "failed" | "notApplicable" | "reason" | "checks">;

/**
 * Says what became of a row's checks, the same in every form of a report: `11 of 13 checks passed, 2 not made, 2 not applicable`. What does not
 * apply is no part of the 13, and what passed stands first whatever the verdict is.
 */
export function rowCounts(row: Counted, { isShort = false }: RowCountsOptions = {}): string {
  const { ran, of, failed, notApplicable } = row;
  const [passed, missing] = [ran - failed, of - ran];
  const idle = notApplicable === 0 || isShort ? [] : [`${notApplicable} not applicable`];
  if (isAllNotYet(row))
    return isShort ? "not yet" : [`0 of ${checks(of)} passed, ${of} not made yet`, ...idle].join(", ");
  if (hasNothingToCheck(row)) return isShort ? "nothing to check" : [...aloneOf(passed), ...idle].join(", ");
  return [
    `${passed} of ${isShort ? of : checks(of)} passed`,
    ...(failed === 0 ? [] : [`${failed} failed`]),
    ...(missing === 0 ? [] : [`${missing} not made`]),
    ...idle,
  ].join(", ");
}

const checks = (count: number): string => counted(count, "check");

/** Nothing failed and nothing is missing, and it is unknown all the same: what applies supports others, which don't. */
const hasNothingToCheck = ({ verdict, of, ran, reason }: Counted): boolean =>
  of === 0 || (verdict === "unknown" && ran === of && reason !== undefined);

const aloneOf = (passed: number): string[] =>
  passed === 0 ? [] : [`${checks(passed)} passed, which ${passed === 1 ? "proves" : "prove"} nothing alone`];
