export type { AuditErrorCode } from "./errors.ts";
export type { Evidence, ExchangeEvidence } from "./evidence.ts";
export { printable } from "./evidence.ts";
export type { AuditOptions, AuditProgress } from "./node/run.ts";
export { runAudit } from "./node/run.ts";
export { authorizationCode, clientCredentials } from "./node/token.ts";
export type { AuthorizationCodeOptions, ClientCredentialsOptions } from "./node/token.ts";
export { defineAudit } from "./plan.ts";
export type {
  AuditCaller,
  AuditIdentity,
  AuditInput,
  AuditOwnedInput,
  AuditPlan,
  AuditProgram,
  AuditSample,
  AuditUser,
  TokenSource,
} from "./plan.ts";
export type { LeakFinding, OutputSearch } from "./probe.ts";
export type { AuditCheck, AuditReport, AuditRow, CheckKind, Verdict } from "./report.ts";
