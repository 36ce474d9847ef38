import { hash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ListedFile } from "../src/harden/node/walk.ts";
import { loadPeer } from "./site-peers.ts";
import type { Rewrite } from "./site-peers.ts";

// One peer in a process of its own, so that no peer pays for another's garbage or shapes. It is told which pages, some at a time.

/** What the process is started for. */
export interface SiteTask {
  readonly peer: string;
  /** The site. */
  readonly files: readonly ListedFile[];
  readonly pages: readonly ListedFile[];
  /** Made and emptied by the process. */
  readonly out: string;
}

/** Pages to be processed, by their place in the list. A round begins with the first. */
export interface SiteOrder {
  readonly from: number;
  readonly to: number;
}

/** What an order took, in microseconds: of all of the process' threads, of those outside the kernel, and by the clock. */
export interface SiteSample {
  readonly cpuUs: number;
  readonly userUs: number;
  readonly wallUs: number;
}

process.once("message", async ({ peer, files, pages, out }: SiteTask) => {
  const begin = await loadPeer(peer);
  let rewrite: Rewrite | undefined;
  const run = async ({ from, to }: SiteOrder): Promise<SiteSample> => {
    mkdirSync(out);
    const before = process.cpuUsage();
    const started = performance.now();
    if (from === 0 || rewrite === undefined) rewrite = begin(files);
    for (let index = from; index < to; index++) {
      const { file, path } = pages[index] ?? { file: "", path: "" };
      const made = rewrite(readFileSync(file), path);
      const page = made instanceof Promise ? await made : made;
      hash("sha256", page);
      writeFileSync(join(out, String(index)), page);
    }
    const wallUs = (performance.now() - started) * 1000;
    const { user, system } = process.cpuUsage(before);
    // Before the kernel brings it to the disk, which others would wait for.
    rmSync(out, { recursive: true });
    return { cpuUs: user + system, userUs: user, wallUs };
  };
  process.on("message", async (order: SiteOrder) => process.send?.(await run(order)));
  process.send?.("ready");
});
