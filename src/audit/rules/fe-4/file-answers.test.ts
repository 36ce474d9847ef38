import assert from "node:assert/strict";
import { test } from "node:test";
import { inertPolicy, securityHeaders } from "../../../contract/index.ts";
import type { ReleaseInput } from "../../../contract/index.ts";
import { checkSite } from "../../fixtures/run-check.ts";
import { startSiteWith } from "../../fixtures/site.ts";
import type { AuditCheck } from "../../report.ts";
import { fe4 } from "./fe-4.ts";
import { maxTypes } from "./file-answers.ts";

const assets = fe4.checks.find(({ name }) => name === "200, an asset of each kind (HTTP/1.1)");
assert.ok(assets !== undefined);

/** So many files, each with an ending of its own. */
const files = (count: number): ReleaseInput[] =>
  Array.from({ length: count }, (_, index) => ({
    path: `/file.x${index}`,
    headers: [["content-type", "application/octet-stream"], ...securityHeaders(inertPolicy)],
    bytes: { identity: new TextEncoder().encode("loaf") },
  }));

/** How the check ends where there are so many kinds: these and the stylesheet. */
const withKinds = (count: number): Promise<AuditCheck> => checkSite(startSiteWith(files(count - 1)), assets);

test("one asset of each kind is looked at", async () => {
  const { state, observations } = await withKinds(maxTypes);
  assert.deepEqual([state, observations], ["passed", maxTypes]);
});

test("what there is of more kinds than are looked at is told, and no pass", async () => {
  const { state, observations, reason } = await withKinds(maxTypes + 2);
  assert.deepEqual(
    [state, observations, reason],
    ["missing", maxTypes, `2 of ${maxTypes + 2} kinds of assets were not looked at`],
  );
});
