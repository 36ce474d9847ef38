import assert from "node:assert/strict";
import { test } from "node:test";
import { checkSite } from "../../fixtures/run-check.ts";
import { startSite } from "../../fixtures/site.ts";
import { canariesStay } from "./bodies.ts";

test("a planted canary in an answer is told with its place and what to do", async () => {
  const { state, attack, evidence } = await checkSite(startSite("sends undeclared fields"), canariesStay);
  assert.equal(state, "failed");
  assert.equal(attack, "answers");
  assert.match(
    evidence[0]?.about ?? "",
    /: the canary "[^"]+" at \/\S+; take it out of `response`, or say who may see it \(`access`\)$/,
  );
});
