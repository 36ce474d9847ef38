import type { LearnedSources } from "../page/draft.ts";
import type { Finding } from "./propose.ts";

/** What was learned by running a site, page by page: a page that nobody has run is not learned. */
export interface LearnedSite {
  /** By the page's file, like `/guide/index.html`. */
  readonly pages: ReadonlyMap<string, LearnedSources>;
  /** What the pages get that are not among them. Default: they are not learned. */
  readonly others?: LearnedSources | undefined;
  /** What was seen and not learned. Default: nothing. */
  readonly findings?: readonly Finding[];
}

/** What was learned of one page; undefined if it was not run. */
export function learnedOf(site: LearnedSite | undefined, path: string): LearnedSources | undefined {
  return site?.pages.get(path) ?? site?.others;
}
