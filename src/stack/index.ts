export type { StackErrorCode } from "./errors.ts";
export { stackFolders } from "./folders.ts";
export type { StackFolders } from "./folders.ts";
export { findIsolation } from "./isolation.ts";
export type { DomainName, Isolation } from "./isolation.ts";
export { loadContract } from "./load-contract.ts";
export type { LoadedContract } from "./load-contract.ts";
export { startStack } from "./supervisor.ts";
export type { RunningStack, StackLogEntry, StartOptions } from "./supervisor.ts";
