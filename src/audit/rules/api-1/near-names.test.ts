import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { checkSite } from "../../fixtures/run-check.ts";
import { startExchangeSite, startSite } from "../../fixtures/site.ts";
import { nearNames } from "./near-names.ts";

describe("names that are nearly the one that is asked for", { concurrency: 2 }, () => {
  for (const [scene, start] of Object.entries({
    "a role": startSite,
    "a scope or a tenant": startExchangeSite,
  })) {
    for (const fault of [
      "compares names by their beginning",
      "compares names by their beginning and end",
      "makes names even",
      "reads names in other claims",
    ] as const)
      test(`are found to be taken for ${scene} by a site that ${fault}`, async () => {
        assert.equal((await checkSite(start(fault), nearNames)).state, "failed");
      });

    test(`are refused for ${scene} by one that compares them whole`, async () => {
      assert.equal((await checkSite(start(), nearNames)).state, "passed");
    });
  }

  test("are found where a site takes a scope for a role, by the token that says so", async () => {
    const { state, evidence } = await checkSite(startSite("takes scopes for roles"), nearNames);
    assert.equal(state, "failed");
    assert.match(
      evidence.at(-1)?.about ?? "",
      /with their roles in other claims \(scope, groups, realm_access …\) must be refused/,
    );
  });
});
