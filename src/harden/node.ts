export { hardenFolder, replaceFolder } from "./node/harden-folder.ts";
export { makeFolder, written } from "./node/blob-store.ts";
export type { HardenedFile, HardenedFolder, HardenFolderOptions } from "./node/harden-folder.ts";
export { learnFolder } from "./node/learn/learn-folder.ts";
export type { LearnedFolder, LearnFolderOptions } from "./node/learn/learn-folder.ts";
export type { Act } from "./node/learn/visit.ts";
export { sha1 } from "./node/sha1.ts";
export { timeLimit } from "./node/time-limit.ts";
export { unpack } from "./node/unpack.ts";
