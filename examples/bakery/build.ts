import {
  assertPermitted,
  assertReleaseKeepsSecrets,
  buildOwnSite,
  createContractGate,
  loadContract,
  publishRelease,
} from "curtainwall/stack";
import { explain } from "./service.ts";
import { root } from "./settings.ts";

// A process of its own: templates are code, and it has no business in the one that keeps the stack running.
process.on("disconnect", () => process.exit(1));
try {
  const loaded = await loadContract(root);
  assertPermitted(loaded, { not: "published" });
  const { release } = await buildOwnSite(loaded);
  const gate = createContractGate({ contract: loaded.contract, root, variables: process.env });
  await assertReleaseKeepsSecrets(release, gate);
  await publishRelease(loaded, release);
  process.exit(0);
} catch (error) {
  console.error(explain(error));
  process.exit(1);
}
