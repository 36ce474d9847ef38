import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { collections } from "../../examples/bakery/collections.ts";
import { decodeRelease, defineStack, parseContract } from "../../src/contract/index.ts";
import type { Release } from "../../src/contract/index.ts";
import { buildSite } from "../../src/site/index.ts";

/** Builds the bakery's site, as it is published, into a cache of its own. */
export async function bakeryRelease(context: TestContext): Promise<Release> {
  const cacheFolder = await mkdtemp(join(tmpdir(), "cw-bakery-"));
  context.after(() => rm(cacheFolder, { recursive: true, force: true }));
  const contract = parseContract(
    defineStack({
      origin: "https://localhost:8443",
      site: { content: "content", templates: "templates", assets: "public", collections },
      routes: {},
    }),
  );
  const root = fileURLToPath(new URL("../../examples/bakery", import.meta.url));
  const { release } = await buildSite({ root, contract, cacheFolder });
  return decodeRelease(release);
}
