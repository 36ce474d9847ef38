import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import type { Release } from "../../src/contract/index.ts";
import { builtRelease } from "./built-release.ts";

/** Builds the bakery's site, as it is published, into a cache of its own. */
export async function bakeryRelease(context: TestContext): Promise<Release> {
  const cacheFolder = await mkdtemp(join(tmpdir(), "cw-bakery-"));
  context.after(() => rm(cacheFolder, { recursive: true, force: true }));
  const bakery = fileURLToPath(new URL("../../examples/bakery", import.meta.url));
  return (await builtRelease(bakery, cacheFolder)).release;
}
