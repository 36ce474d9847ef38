import assert from "node:assert/strict";
import { test } from "node:test";
import { isCurtainwallError } from "../../shared/index.ts";
import { startSite } from "../fixtures/site.ts";
import { assertPlanFits } from "./plan-problems.ts";
import { defineAudit } from "./plan.ts";
import type { AuditPlan } from "./plan.ts";

const token = async (): Promise<string> => "a.b.c";
const refusesWith =
  (message: RegExp) =>
  (error: unknown): boolean =>
    isCurtainwallError(error, "AUDIT_PLAN_INVALID") && message.test(error.message);

test("a good plan is taken as it is", () => {
  const plan = { identities: { alice: { subject: "1", token } }, canaries: ["long enough"] };
  assert.deepEqual(defineAudit(plan), plan);
});

test("a plan may name other hosts on this machine, and a network to come from", () => {
  const plan = {
    otherAddresses: ["https://127.0.0.1:9443", "https://[::1]:9443"],
    ipv6Prefix: "2001:db8:1:2::/64",
  };
  assert.deepEqual(defineAudit(plan), plan);
});

for (const [what, plan, message] of [
  ["a misspelt member", { identites: {} }, /no member "identites"/],
  [
    "a token that is no function",
    { identities: { alice: { subject: "1", token: "abc" } } },
    /alice\.token must be a function/,
  ],
  ["a missing subject", { identities: { alice: { token } } }, /alice\.subject/],
  ["a canary that is too short", { canaries: ["abc"] }, /at least 6/],
  ["a hidden object without a canary", { hidden: { "GET /a": { params: {} } } }, /needs a canary/],
  [
    "a signature that is no function",
    { signatures: { "POST /a": { "webhook-id": "1" } } },
    /signatures\["POST \/a"\] must be a function/,
  ],
  [
    "an impostor that nobody can put there",
    { impostors: { "https://localhost:1": { wrongAuthority: token, wrongName: "certificate" } } },
    /impostors\["https:\/\/localhost:1"\]\.wrongName must be a function/,
  ],
  [
    "an impostor of nobody knows which kind",
    { impostors: { "https://localhost:1": token } },
    /impostors\["https:\/\/localhost:1"\] must be an object with wrongAuthority and wrongName/,
  ],
  [
    "somebody whose tokens nobody can revoke",
    { revocable: { subject: "2", token } },
    /revocable\.revoke must be a function/,
  ],
  [
    "an identity whose tokens end meanwhile",
    { identities: { alice: { subject: "1", token } }, revocable: { subject: "1", token, revoke: token } },
    /revocable is one of the identities/,
  ],
  ["an upstream that tells nothing", { upstreams: { shop: {} } }, /upstreams\.shop\.received must be/],
  ["a signer of tokens that is none", { signToken: "key" }, /signToken must be a function/],
  [
    "another host that is not on this machine",
    { otherAddresses: ["https://www.example.com"] },
    /no origin of this machine/,
  ],
  ["another host with a path", { otherAddresses: ["https://127.0.0.1:9443/a"] }, /no origin of this machine/],
  ["a network of IPv4", { ipv6Prefix: "10.0.0.0/64" }, /network of IPv6 with 64 bits/],
  ["a network of another size", { ipv6Prefix: "2001:db8::/48" }, /network of IPv6 with 64 bits/],
  [
    "a key that is no function",
    { identities: { robot: { subject: "1", apiKey: "abc" } } },
    /robot\.apiKey must be a function/,
  ],
  [
    "a token beside a key",
    { identities: { robot: { subject: "1", apiKey: token, token } } },
    /no member "token"/,
  ],
  [
    "roles that are a text",
    { identities: { alice: { subject: "1", token, roles: "staff" } } },
    /alice\.roles must be a list/,
  ],
  [
    "a misspelt member of somebody's own sample",
    { samples: { "GET /a": { as: { alice: { parms: {} } } } } },
    /no member "parms"/,
  ],
  ["a guess with a misspelt member", { guesses: { "POST /a": { bdy: {} } } }, /no member "bdy"/],
] as const) {
  test(`a plan with ${what} is refused`, () => {
    assert.throws(() => defineAudit(plan as unknown as AuditPlan), refusesWith(message));
  });
}

test("a plan must name routes and identities that exist", async () => {
  const { contract, plan, close } = await startSite();
  await close();
  assert.doesNotThrow(() => assertPlanFits(plan, contract));
  assert.throws(
    () => assertPlanFits({ samples: { "GET /api/nothing": {} } }, contract),
    refusesWith(/is no route/),
  );
  assert.throws(
    () => assertPlanFits({ samples: { "GET /api/staff": { as: { eve: {} } } } }, contract),
    refusesWith(/eve is no identity/),
  );
  assert.throws(
    () => assertPlanFits({ state: { "POST /api/contact": "GET /api/nothing" } }, contract),
    refusesWith(/no GET route/),
  );
  assert.throws(
    () => assertPlanFits({ hidden: { "GET /api/staff": { canary: "unpublished" } } }, contract),
    refusesWith(/no route of the contract with visible/),
  );
  assert.throws(
    () => assertPlanFits({ signatures: { "POST /api/contact": () => ({}) } }, contract),
    refusesWith(/no route of the contract with webhook/),
  );
  assert.throws(
    () =>
      assertPlanFits(
        {
          impostors: {
            "https://elsewhere.example": {
              wrongAuthority: () => Promise.reject(new Error("never called")),
            },
          },
        },
        contract,
      ),
    refusesWith(/origin of no upstream/),
  );
  assert.throws(
    () => assertPlanFits({ upstreams: { depot: { received: async () => [] } } }, contract),
    refusesWith(/upstreams\.depot is no upstream/),
  );
  assert.throws(
    () => assertPlanFits({ errors: { "GET /api/staff": { 409: {} } } }, contract),
    refusesWith(/declares this error/),
  );
  assert.throws(
    () => assertPlanFits({ identities: { robot: { subject: "key:1", apiKey: token } } }, contract),
    refusesWith(/the contract takes none/),
  );
});
