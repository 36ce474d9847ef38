import assert from "node:assert/strict";
import { test } from "node:test";
import { checkSite } from "../../fixtures/run-check.ts";
import { startSite } from "../../fixtures/site.ts";
import { othersInBodies } from "./bodies.ts";

test("what its owner could not read again is not said to have been changed, nor to be the same", async () => {
  const { state, reason } = await checkSite(startSite("has no time to read once it wrote"), othersInBodies);
  assert.equal(state, "missing");
  assert.match(
    reason ?? "",
    /before and after \w+ named it in bodies: \w+ could not read it, and was answered 503/,
  );
});

test("what was changed is", async () => {
  assert.equal((await checkSite(startSite("changes what a body names"), othersInBodies)).state, "failed");
  assert.equal((await checkSite(startSite(), othersInBodies)).state, "passed");
});
