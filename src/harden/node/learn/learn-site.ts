import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { hardenError } from "../harden-error.ts";
import { learnIn, withScratch } from "./learn-folder.ts";
import type { LearnedFolder, TourOptions } from "./learn-folder.ts";
import { mirrorSite } from "./mirror-site.ts";
import { openRunningSite } from "./running-site.ts";

/** Options of {@link learnSite}. */
export interface LearnSiteOptions extends TourOptions {
  /** Where it runs, and the page to begin with. Whoever calls this has made sure that the site is the user's own. */
  readonly url: URL;
}

/**
 * Learns of a site that runs, as `learnFolder` does of a folder: its pages, and the scripts and styles that they use, are read into a folder
 * and hardened there; when they run, everything else comes from the site. It is asked by GET alone, without cookies; what pages would
 * send to it, and what is meant for any other address, ends here.
 *
 * @throws {CurtainwallError} `HARDEN_LEARN_FAILED` when the site does not answer, or no page could be visited; `HARDEN_BROWSER_MISSING`; one of
 *   the codes of `hardenFolder`
 */
export async function learnSite({ url, ...options }: LearnSiteOptions): Promise<LearnedFolder> {
  const site = openRunningSite(url.origin);
  return withScratch(async (scratch) => {
    const folder = join(scratch, "site");
    mkdirSync(folder);
    const { maxPages = 1_000, maxSeconds = 900 } = options;
    const { addresses, failed } = await mirrorSite(site, {
      folder,
      start: url.pathname,
      maxPages,
      deadline: performance.now() + maxSeconds * 1_000,
      onProgress: (done, total) => options.onProgress?.("reading", done, total),
    }).catch((cause: unknown) => {
      throw unanswered(url.origin, cause);
    });
    if (addresses.size === 0) throw unanswered(url.origin, failed[0]?.reason ?? "it answers with no page");
    const learned = await learnIn(scratch, folder, options, undefined, { site, addresses });
    return { ...learned, failed: [...learned.failed, ...failed] };
  });
}

function unanswered(origin: string, cause: unknown): Error {
  const why = cause instanceof Error ? cause.message : String(cause);
  return hardenError("HARDEN_LEARN_FAILED", `${origin} can't be learned of: ${why}.`, {
    hint: "Start the site first, like  npx curtainwall start;  or name the folder that it is made of",
    cause,
  });
}
