/** Codes of the errors that `audit` throws. Each has an anchor in `docs/errors.md`. */
export type AuditErrorCode =
  | "AUDIT_PLAN_INVALID"
  | "AUDIT_TARGET_INVALID"
  | "AUDIT_TARGET_UNREACHABLE"
  | "AUDIT_ROUTE_UNAVAILABLE"
  | "AUDIT_ANSWER_INVALID"
  | "AUDIT_BUDGET_SPENT"
  | "AUDIT_TOKEN_REFUSED"
  | "AUDIT_REPORT_INVALID"
  | "AUDIT_OWNERSHIP_UNPROVED"
  | "AUDIT_INTERRUPTED"
  | "AUDIT_ATTACK_FAILED";
