export type { ReleaseErrorCode } from "./errors.ts";
export { signRelease } from "./sign-release.ts";
export type { SignReleaseOptions, SignedProgram } from "./sign-release.ts";
export { compareHeaders } from "./verify/compare-headers.ts";
export type { HeaderDifference } from "./verify/compare-headers.ts";
export { verifyHost } from "./verify/verify-host.ts";
export type {
  AskHost,
  HostAnswer,
  HostDifference,
  HostReport,
  VerifyHostOptions,
} from "./verify/verify-host.ts";
