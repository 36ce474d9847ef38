import type { Lock } from "./types.ts";

/**
 * Chooses which of a lock's sites a folder is: the one of that name, else the one whose scripts it has most of, if that is half of
 * them and more. A copy of a site in another folder is so held to the same lock; a site that is another one begins anew.
 */
export function chooseSite(lock: Lock, asked: string, scripts: ReadonlyMap<string, unknown>): string {
  const sites = Map.groupBy(lock.scripts, ({ site }) => site);
  if (sites.has(asked)) return asked;
  let best = { site: asked, share: 0 };
  for (const [site, entries] of [...sites].sort(([left], [right]) => (left < right ? -1 : 1))) {
    const share = entries.filter(({ id }) => scripts.has(id)).length / entries.length;
    if (share >= 0.5 && share > best.share) best = { site, share };
  }
  return best.site;
}
