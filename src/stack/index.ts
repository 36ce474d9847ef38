export { buildOwnSite } from "./builder/build-own-site.ts";
export type { OwnBuild, OwnBuildOptions } from "./builder/build-own-site.ts";
export { isSystems } from "./builder/declared-environment.ts";
export { pagePolicyOf, publishPage } from "./builder/publish-page.ts";
export type { PagePolicy, PublishedPage, PublishPageOptions } from "./builder/publish-page.ts";
export { readPageReport } from "./builder/read-page-report.ts";
export type { PageReport } from "./builder/read-page-report.ts";
export { startPageBuilder } from "./builder/start-page-builder.ts";
export type { PageBuilderStart } from "./builder/start-page-builder.ts";
export { apiKeysFileOf } from "./api-keys.ts";
export { readAccepted } from "./accepted-release.ts";
export type { StackErrorCode } from "./errors.ts";
export { assertStateUsable, makeStateFolder, stackFolders } from "./folders.ts";
export type { StackFolders } from "./folders.ts";
export { describeIsolation, findIsolation } from "./isolation.ts";
export type { DomainName, Isolation } from "./isolation.ts";
export {
  assertNoLeaks,
  assertReleaseKeepsSecrets,
  createContractGate,
  describeHit,
  inspectRelease,
} from "./leak-gate.ts";
export type { ContractGateOptions } from "./leak-gate.ts";
export { openVerdicts } from "./leak-verdicts.ts";
export type { LeakVerdicts } from "./leak-verdicts.ts";
export { hasContract, loadContract } from "./load-contract.ts";
export type { LoadedContract } from "./load-contract.ts";
export { publishRelease, publishStored, readCurrentRelease } from "./publish-release.ts";
export type { PublishedRelease } from "./publish-release.ts";
export { readRevoked, revokeTokens } from "./revoked-tokens.ts";
export type { RevokedTokens, Revocation } from "./revoked-tokens.ts";
export { findSiteKeys } from "./release-keys.ts";
export type { SiteKeys } from "./release-keys.ts";
export { neededProgram, readSignedProgram, signProgram } from "./site-program.ts";
export { startStack } from "./supervisor/start-stack.ts";
export type { StartOptions } from "./supervisor/start-stack.ts";
export type { RunningStack } from "./supervisor/supervisor.ts";
export type { StackLogEntry } from "./supervisor/surroundings.ts";
export { stopRequest } from "./stop-request.ts";
export { hardenSite } from "./harden-site.ts";
export type { HardenedSite, HardenSiteOptions, HostPlace } from "./harden-site.ts";
export { fetchForeignScript, learnFolder, learnSite, parseLearned, writeLearned } from "./learn-site.ts";
export type {
  Act,
  LearnedFolder,
  LearnedSite,
  LearnFolderOptions,
  LearnSiteOptions,
  TourOptions,
} from "./learn-site.ts";
export { buildForeign, isForeign } from "./foreign/build-foreign.ts";
export type { ForeignBuild, ForeignBuildOptions } from "./foreign/build-foreign.ts";
export { runJailed } from "./jail/run-jailed.ts";
export type { JailOptions, JailResult } from "./jail/jail-options.ts";
export { planSite } from "./plan-site.ts";
export type { PlanSiteOptions } from "./plan-site.ts";
export { lockName } from "./lock-name.ts";
export { assertPermitted, reviewContract } from "./permitted.ts";
export type { PermissionRules } from "./permitted.ts";
export { openContractLock } from "./contract-lock.ts";
export type { ContractLock } from "./contract-lock.ts";
export { approveScripts, assertApproved, openSiteLock, saveLock } from "./site-lock.ts";
export type { ApprovalRules, SiteLock, SiteLockOptions } from "./site-lock.ts";
export { readSiteManifest } from "./site-manifest.ts";
export type { SiteManifest } from "./site-manifest.ts";
