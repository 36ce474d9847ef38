import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Review } from "../../harden/index.ts";
import { hardenFolder } from "../../harden/node.ts";
import type { HardenFolderOptions } from "../../harden/node.ts";
import { scriptReader } from "../hardening/review-scripts.ts";
import type { SiteLock } from "./site-lock.ts";

/** Options of {@link planSite}. */
export interface PlanSiteOptions {
  /** What a generator wrote. It is only read. */
  readonly folder: string;
  readonly lock: SiteLock;
  /** Where the site will be served from: its own scripts may be named by it. */
  readonly origin?: string | undefined;
  /** Folders outside of `folder` into which its links may lead. */
  readonly follow?: readonly string[];
  /** What running the site has shown: workers that were seen to start are scripts too. */
  readonly learned?: HardenFolderOptions["learned"];
  /** Scripts of other sites that scripts of the pages may add. */
  readonly allowScripts?: HardenFolderOptions["allowScripts"];
  readonly onProgress?: (done: number, total: number) => void;
}

/**
 * Compares a site's scripts with the lock, as hardening it would, and writes nothing.
 *
 * @throws {CurtainwallError} one of `HardenErrorCode`
 */
export async function planSite({ lock, ...options }: PlanSiteOptions): Promise<Review> {
  const work = mkdtempSync(join(tmpdir(), "curtainwall-plan-"));
  try {
    const blobs = join(work, "blobs");
    const { files } = await hardenFolder({ ...options, blobs, onScript: lock.onScript });
    return lock.provenance.finish(scriptReader(files, blobs));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
