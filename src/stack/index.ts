export { buildOwnSite } from "./builder/build-own-site.ts";
export type { OwnBuild, OwnBuildOptions } from "./builder/build-own-site.ts";
export { isSystems } from "./builder/declared-environment.ts";
export { pagePolicyOf, publishPage } from "./builder/publish-page.ts";
export type { PagePolicy, PublishedPage, PublishPageOptions } from "./builder/publish-page.ts";
export { readPageReport } from "./builder/read-page-report.ts";
export type { PageReport } from "./builder/read-page-report.ts";
export { startPageBuilder } from "./builder/start-page-builder.ts";
export type { PageBuilderStart } from "./builder/start-page-builder.ts";
export { apiKeysFileOf } from "./edge/api-keys.ts";
export { readAccepted } from "./releases/accepted-release.ts";
export type { StackErrorCode } from "./errors.ts";
export { assertStateUsable, makeStateFolder, stackFolders } from "./folders.ts";
export type { StackFolders } from "./folders.ts";
export { describeIsolation, findIsolation } from "./isolation/isolation.ts";
export type { DomainName, Isolation } from "./isolation/isolation.ts";
export {
  assertNoLeaks,
  assertReleaseKeepsSecrets,
  createContractGate,
  describeHit,
  inspectRelease,
} from "./hardening/leak-gate.ts";
export type { ContractGateOptions } from "./hardening/leak-gate.ts";
export { openVerdicts } from "./hardening/leak-verdicts.ts";
export type { LeakVerdicts } from "./hardening/leak-verdicts.ts";
export { hasContract, loadContract } from "./contract/load-contract.ts";
export type { LoadedContract } from "./contract/load-contract.ts";
export { forbidCoreDumps } from "./isolation/no-core-dump.ts";
export { publishRelease, publishStored, readCurrentRelease } from "./releases/publish-release.ts";
export type { PublishedRelease } from "./releases/publish-release.ts";
export { openReleaseTrial } from "./releases/release-trial.ts";
export type { ReleaseTrial } from "./releases/release-trial.ts";
export { readRevoked, revokeTokens } from "./edge/revoked-tokens.ts";
export type { RevokedTokens, Revocation } from "./edge/revoked-tokens.ts";
export { findSiteKeys } from "./releases/release-keys.ts";
export type { FindKeysOptions, SiteKeys } from "./releases/release-keys.ts";
export { functionsOutside, neededProgram, readSignedProgram, signProgram } from "./releases/site-program.ts";
export { acceptedBundles } from "./functions/accepted-bundles.ts";
export type { AcceptedBundle, AcceptedFunction } from "./functions/accepted-bundles.ts";
export { buildFunctions } from "./functions/build-functions.ts";
export type { BuildFunctionsOptions, BuiltFunction } from "./functions/build-functions.ts";
export { reviewFunctions } from "./functions/review-functions.ts";
export type { FunctionReview } from "./functions/review-functions.ts";
export { assertNotRunning } from "./supervisor/own-state.ts";
export { startStack } from "./supervisor/start-stack.ts";
export type { StartOptions } from "./supervisor/start-stack.ts";
export type { RunningStack } from "./supervisor/supervisor.ts";
export type { StackLogEntry } from "./supervisor/surroundings.ts";
export { hasVault } from "./vault/has-vault.ts";
export { findVaultReleaseKey } from "./vault/release-key.ts";
export type { AskPassphrase, VaultReleaseKey } from "./vault/release-key.ts";
export { environmentOf } from "./vault/environments.ts";
export type { ImportView } from "./vault/protocol.ts";
export { outputFingerprints } from "./vault/output-fingerprints.ts";
export { storeFile } from "./vault/vault-plan.ts";
export { withVault } from "./vault/with-vault.ts";
export type { VaultVisit, WithVaultOptions } from "./vault/with-vault.ts";
export type { VaultKey } from "./processes/messages.ts";
export { stopRequest } from "./processes/stop-request.ts";
export { hardenSite } from "./hardening/harden-site.ts";
export type { HardenedSite, HardenSiteOptions, HostPlace } from "./hardening/harden-site.ts";
export {
  fetchForeignScript,
  learnFolder,
  learnSite,
  parseLearned,
  writeLearned,
} from "./hardening/learn-site.ts";
export type {
  Act,
  LearnedFolder,
  LearnedSite,
  LearnFolderOptions,
  LearnSiteOptions,
  TourOptions,
} from "./hardening/learn-site.ts";
export { buildForeign, isForeign } from "./foreign/build-foreign.ts";
export type { ForeignBuild, ForeignBuildOptions } from "./foreign/build-foreign.ts";
export { runJailed } from "./jail/run-jailed.ts";
export type { JailOptions, JailResult } from "./jail/jail-options.ts";
export { planSite } from "./lock/plan-site.ts";
export type { PlanSiteOptions } from "./lock/plan-site.ts";
export { lockName } from "./lock/lock-name.ts";
export { assertPermitted, describeSpare, reviewContract } from "./lock/permitted.ts";
export type { PermissionRules } from "./lock/permitted.ts";
export { openContractLock } from "./lock/contract-lock.ts";
export type { ContractLock } from "./lock/contract-lock.ts";
export { approveScripts, assertApproved, openSiteLock } from "./lock/site-lock.ts";
export { updateLock } from "./lock/update-lock.ts";
export type { ApprovalRules, SiteLock, SiteLockOptions } from "./lock/site-lock.ts";
export { readSiteManifest } from "./hardening/site-manifest.ts";
export type { SiteManifest } from "./hardening/site-manifest.ts";
export { askEgress } from "./inspect/ask-egress.ts";
export { listProcesses } from "./inspect/list-processes.ts";
export { sealedNonces } from "./inspect/sealed-nonces.ts";
export { searchProcesses } from "./inspect/search-processes.ts";
export { connectionsPerAddress } from "./domains/share-of-limits.ts";
export { findRunningStacks } from "./processes/run-folder.ts";
export type { FoundStack } from "./processes/run-folder.ts";
export { findPlainSecrets } from "./vault/plain-secrets.ts";
export { readLastFlood } from "./supervisor/log-floods.ts";
export type { RememberedFlood } from "./supervisor/log-floods.ts";
export { readLastCheckpoint, readWitnessedCheckpoint } from "./supervisor/sign-checkpoints.ts";
export { recordedAction } from "./operator/record-action.ts";
export type { OperatorAction } from "./operator/record-action.ts";
