import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import type { LeakHit } from "../../harden/index.ts";
import type { HardenedFile } from "../../harden/node.ts";
import type { HardenSiteOptions } from "../hardening/harden-site.ts";
import { assertNoLeaks } from "../hardening/leak-gate.ts";
import { uniqueBy } from "../unique-by.ts";

/**
 * Sends every file through the leak gate. After the hardening, not within: the values that it looks for stay in this thread.
 *
 * @throws {CurtainwallError} `HARDEN_LEAK_FOUND`
 */
export async function inspectAll(
  { gate, onProgress }: Pick<HardenSiteOptions, "gate" | "onProgress">,
  addresses: readonly HardenedFile[],
  blobs: string,
): Promise<void> {
  if (gate === undefined) return;
  const files = uniqueBy(addresses, ({ source }) => source);
  const hits: LeakHit[] = [];
  for (const [index, { source, sha256 }] of files.entries()) {
    hits.push(...gate.inspect({ path: source, bytes: readFileSync(join(blobs, sha256)) }));
    if (index % 64 !== 0) continue;
    onProgress?.("inspecting", index, files.length);
    await setImmediate();
  }
  assertNoLeaks([...hits, ...gate.finish()]);
}
