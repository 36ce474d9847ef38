// The commands reach hardening through this room only.
export { parseLearned, writeLearned } from "../../harden/index.ts";
export type { LearnedSite } from "../../harden/index.ts";
export { fetchForeignScript, learnFolder, learnSite } from "../../harden/node.ts";
export type {
  Act,
  LearnedFolder,
  LearnFolderOptions,
  LearnSiteOptions,
  TourOptions,
} from "../../harden/node.ts";
