// The commands reach hardening through this room only.
export { parseLearned, writeLearned } from "../harden/index.ts";
export type { LearnedSite } from "../harden/index.ts";
export { learnFolder } from "../harden/node.ts";
export type { Act, LearnedFolder, LearnFolderOptions } from "../harden/node.ts";
