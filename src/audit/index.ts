export type { AuditErrorCode } from "./errors.ts";
export type { Evidence, ExchangeEvidence } from "./evidence.ts";
export { printable } from "./evidence.ts";
export type { LedgerProbe, LedgerState } from "./probes/ledger-probe.ts";
export { attackKinds, kinds } from "./attack/kinds.ts";
export type { Attack, AttackedOption, AttackKind } from "./attack/kinds.ts";
export type { AttackProgress } from "./attack/engine.ts";
export type { AttackCounts, AttackReport, AttackUnit, BrokenPromise, KindReport } from "./attack/report.ts";
export { attackTests } from "./attack/tests.ts";
export type { AttackTestsOptions } from "./attack/tests.ts";
export { shellWord } from "./commands.ts";
export { unitName } from "./attack/units.ts";
export { explainBroken, explainUnit } from "./attack/explain.ts";
export { openAttack } from "./node/open-attack.ts";
export type { OpenAttack, OpenAttackOptions } from "./node/open-attack.ts";
export { attackGaps, attacksLeftOut, listAttacks, runAttack } from "./node/run-attack.ts";
export type { AttackOptions } from "./node/run-attack.ts";
export type { CleanedUp } from "./node/made.ts";
export type { AuditOptions, AuditProgress } from "./node/run.ts";
export { runAudit } from "./node/run.ts";
export type { AuditMend } from "./mends/mends.ts";
export type { Framework } from "./mends/recognise.ts";
export { authorizationCode, clientCredentials } from "./node/token.ts";
export type { AuthorizationCodeOptions, ClientCredentialsOptions } from "./node/token.ts";
export { defineAudit } from "./plan/plan.ts";
export type {
  AuditCaller,
  AuditIdentity,
  AuditImpostor,
  AuditImpostors,
  AuditInput,
  AuditLie,
  AuditMade,
  AuditOwnedInput,
  AuditOwnedSample,
  AuditPlan,
  AuditProgram,
  AuditRevocable,
  AuditSample,
  AuditSigner,
  AuditUser,
  TokenSigner,
  TokenSource,
} from "./plan/plan.ts";
export type { ReceivedRequest, UpstreamWitness } from "./probes/upstream-witness.ts";
export { makeProof } from "./proof/make-proof.ts";
export type { MakeProofOptions } from "./proof/make-proof.ts";
export type { KeySource, ProofStatement } from "./proof/statement.ts";
export { verifyProof } from "./proof/verify-proof.ts";
export type { ProofFiles, VerifiedProof, VerifyProofOptions } from "./proof/verify-proof.ts";
export type { LeakFinding, OutputSearch, ReleaseTrial } from "./probes/probe.ts";
export type { AuditCheck, AuditReport, AuditRow, CheckKind, ReportContract, Verdict } from "./report.ts";
export { reasonElsewhere } from "./reports/built-elsewhere.ts";
export { failureOf } from "./reports/failure.ts";
export type { Failure } from "./reports/failure.ts";
export { toHtml } from "./reports/html.ts";
export { toJunit } from "./reports/junit.ts";
export { nextSteps } from "./reports/next-steps.ts";
export { isAllNotYet, isNotYet } from "./reports/not-yet.ts";
export type { NextStep } from "./reports/next-steps.ts";
export { findingPlace } from "./reports/place.ts";
export { rowCounts } from "./reports/row-counts.ts";
export type { RowCountsOptions } from "./reports/row-counts.ts";
export { toSarif } from "./reports/sarif.ts";
export { auditReportSchema, parseReport } from "./reports/schema.ts";
export type { MachineProbe, StackProcess, StackProcesses } from "./probes/machine-probe.ts";
export type {
  AskedUse,
  EgressAsker,
  GrantUse,
  Missing,
  ProcessSearch,
  SearchedProcess,
  SecretsProbe,
  VaultReads,
} from "./probes/secrets-probe.ts";
