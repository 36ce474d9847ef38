import { randomUUID } from "node:crypto";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { buildSite } from "curtainwall/site";
import { loadContract, stackFolders } from "curtainwall/stack";
import { explain } from "./service.ts";
import { root } from "./settings.ts";

// A process of its own: templates are code, and it has no business in the one that keeps the stack running.
process.on("disconnect", () => process.exit(1));
try {
  const { contract } = await loadContract(root);
  const { release } = await buildSite({ root, contract });
  const { releaseFile } = stackFolders(root);
  const draft = `${releaseFile}.${randomUUID()}`;
  await mkdir(dirname(releaseFile), { recursive: true });
  await writeFile(draft, release, { flush: true });
  await rename(draft, releaseFile);
  process.exit(0);
} catch (error) {
  console.error(explain(error));
  process.exit(1);
}
