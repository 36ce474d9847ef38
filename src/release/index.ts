export type { ReleaseErrorCode } from "./errors.ts";
export { signRelease } from "./sign-release.ts";
export type { SignReleaseOptions, SignedProgram } from "./sign-release.ts";
