// What serving a site needs, and no more: the command that starts it should not load what builds, hardens and signs.
export { folderArgument } from "./contract/folder-argument.ts";
export { describeIsolation } from "./isolation/isolation.ts";
export { loadContract } from "./contract/load-contract.ts";
export { startStack } from "./supervisor/start-stack.ts";
export type { RunningStack } from "./supervisor/supervisor.ts";
export type { StackLogEntry } from "./supervisor/surroundings.ts";
export { stopRequest } from "./processes/stop-request.ts";
