import { decodeRelease } from "../../src/contract/index.ts";
import type { Contract, Release } from "../../src/contract/index.ts";
import { buildSite } from "../../src/site/index.ts";
import { loadContract } from "../../src/stack/index.ts";

/** Builds a folder's own site, as it is published. */
export async function builtRelease(
  folder: string,
  cacheFolder?: string,
): Promise<{ contract: Contract; release: Release }> {
  const { contract, root } = await loadContract(folder);
  const { release } = await buildSite({
    root,
    contract,
    ...(cacheFolder === undefined ? {} : { cacheFolder }),
  });
  return { contract, release: await decodeRelease(release) };
}
