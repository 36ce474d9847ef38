import assert from "node:assert/strict";
import { test } from "node:test";
import type { ContractRoute } from "../../../contract/index.ts";
import type { Fault } from "../../fixtures/faults.ts";
import { checkSite } from "../../fixtures/run-check.ts";
import { startSite } from "../../fixtures/site.ts";
import type { TestSite } from "../../fixtures/site.ts";
import type { AuditCheck } from "../../report.ts";
import { aloneByPlan } from "./alone.ts";

/** A site whose contract lets more callers read orders than `ownerField` would. */
async function audited(access: ContractRoute["access"], ...faults: Fault[]): Promise<AuditCheck> {
  const started = startSite(...faults).then((site): TestSite => {
    const routes = site.contract.routes.map((route) =>
      route.key === "GET /api/orders/:id" ? { ...route, access } : route,
    );
    return { ...site, contract: { ...site.contract, routes } };
  });
  return checkSite(started, aloneByPlan);
}

test("an access that forgot the owner is found by what the plan says is one's alone", async () => {
  const { state, evidence } = await audited({ kind: "signedIn" }, "ignores ownership");
  assert.equal(state, "failed");
  assert.equal(
    evidence[0]?.about,
    "GET /api/orders/:id: the plan says that this is alice's alone, and the contract lets bob have it: `access` names no owner",
  );
});

test("what others do not get is alright, whoever sees to it; so is an address that answers each with its own", async () => {
  const { state, evidence } = await audited({ kind: "signedIn" });
  assert.equal(state, "passed", evidence[0]?.about ?? "");
});

test("a role may be there to see everybody's", async () => {
  const { state, evidence } = await audited({ kind: "role", role: "staff" }, "ignores ownership");
  assert.equal(state, "passed");
  assert.ok(evidence.every(({ about }) => about.startsWith("GET /api/card")));
});
