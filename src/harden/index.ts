export type { HardenErrorCode } from "./errors.ts";
export type { DeclaredBehaviour, DraftContext, LearnedSources, PageSettings } from "./page/draft.ts";
export { addedAddress, applicationNote } from "./page/allow-behaviour.ts";
export { createFileView } from "./site/file-view.ts";
export type { FileSource } from "./site/file-view.ts";
export { parseLearned, writeLearned } from "./learn/learned-file.ts";
export type { LearnedSite } from "./learn/learned-site.ts";
export type { Finding, LearnedClass, Proposal } from "./learn/propose.ts";
export { hardenPage } from "./page/harden-page.ts";
export type { HardenedPage, PageContext, PageNeeds } from "./page/harden-page.ts";
export { hardenOutline } from "./page/harden-outline.ts";
export type {
  ForeignScript,
  MissingFile,
  PageReport,
  ScriptOccurrence,
  Weakness,
} from "./page/page-report.ts";
export { createPolicyBuilder, serializePolicy } from "./policy/policy.ts";
export type { Directive, PagePolicy, PolicyBuilder } from "./policy/policy.ts";
export { allowedWords } from "./page/script-allowed.ts";
export type { AllowedScript } from "./page/script-allowed.ts";
export type { SiteReport, Tally } from "./site/site-report.ts";
export type { SiteFileView, SiteView } from "./site/site-view.ts";
export { splitPolicy } from "./policy/split-policy.ts";
export type { PolicyBudget, SplitPolicy } from "./policy/split-policy.ts";
export { createLeakGate } from "./leaks/gate.ts";
export { searchFingerprints } from "./leaks/fingerprint-search.ts";
export type { FingerprintSearch } from "./leaks/fingerprint-search.ts";
export { serverOnlyMarker } from "./leaks/server-only.ts";
export type {
  LeakEncoding,
  LeakFile,
  LeakGate,
  LeakGateOptions,
  LeakHit,
  LeakRule,
  NotSearched,
  Packing,
  PrivateValue,
  Unpack,
  Unpacked,
} from "./leaks/types.ts";
export { createLibraryScan } from "./libraries/scan.ts";
export type {
  LibraryReport,
  LibraryScan,
  LibraryScanOptions,
  LibraryVulnerability,
  RecognisedLibrary,
  TimeLimit,
} from "./libraries/types.ts";
export { approve, prune, record } from "./lock/approve.ts";
export type { Approval } from "./lock/approve.ts";
export { describeReview, shortId, summarizeReview } from "./lock/describe.ts";
export { emptyLock, writeLock } from "./lock/lock-text.ts";
export { parseLock } from "./lock/parse-lock.ts";
export { createProvenance } from "./lock/provenance.ts";
export type { Provenance, ProvenanceOptions } from "./lock/provenance.ts";
export type {
  Admission,
  Lock,
  LockedScript,
  PendingScript,
  Review,
  ScriptKind,
  SeenScript,
} from "./lock/types.ts";
