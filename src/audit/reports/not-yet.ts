import type { AuditCheck, AuditRow } from "../report.ts";

/** Whether a check waits for a later version: nobody who reads the report can do anything about it. */
export const isNotYet = ({ state, reason }: Pick<AuditCheck, "state" | "reason">): boolean =>
  state === "missing" && reason?.startsWith("comes with ") === true;

/** Whether all that an item would be checked by waits for a later version. */
export function isAllNotYet({ checks }: Pick<AuditRow, "checks">): boolean {
  const applicable = checks.filter(({ state }) => state !== "not applicable");
  return applicable.length > 0 && applicable.every(isNotYet);
}
