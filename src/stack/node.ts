// What serving a site needs, and no more: the command that starts it should not load what builds, hardens and signs.
export { folderArgument } from "./folder-argument.ts";
export { describeIsolation } from "./isolation.ts";
export { loadContract } from "./load-contract.ts";
export { startStack } from "./supervisor/start-stack.ts";
export type { RunningStack } from "./supervisor/supervisor.ts";
export type { StackLogEntry } from "./supervisor/surroundings.ts";
export { stopRequest } from "./stop-request.ts";
