import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { loadContract } from "./load-contract.ts";

test("where no contract is, those at most two levels below are named as they can be typed, and no package's", async (t) => {
  const root = mkdtempSync(join(tmpdir(), "curtainwall-below-"));
  t.after(() => rmSync(root, { recursive: true }));
  await assert.rejects(loadContract(root), { hint: /or write one/ });
  for (const folder of ["shop", "examples/bakery", "node_modules/kit", ".git/x", "one/two/three"]) {
    mkdirSync(join(root, folder), { recursive: true });
    writeFileSync(join(root, folder, "curtainwall.config.ts"), "");
  }
  const before = process.cwd();
  process.chdir(root);
  t.after(() => process.chdir(before));
  await assert.rejects(loadContract(), {
    code: "STACK_CONFIG_MISSING",
    hint: "There is one in  shop, examples/bakery.  Name the folder, last in the command",
  });
  await assert.rejects(loadContract("examples/bakary"), { hint: "Did you mean  examples/bakery?" });
  await assert.rejects(loadContract("node_module"), { hint: /or write one/ }, "which has none");
  // From elsewhere the way there is another.
  process.chdir("examples");
  await assert.rejects(loadContract(".."), { hint: /^There is one in {2}\.\.\/shop, bakery\./ });
});
