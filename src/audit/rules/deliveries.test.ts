import assert from "node:assert/strict";
import { describe, suite, test } from "node:test";
import type { Check } from "../check.ts";
import type { Fault } from "../fixtures/faults.ts";
import { checkSite } from "../fixtures/run-check.ts";
import { startExchangeSite } from "../fixtures/site.ts";
import type { TestSite } from "../fixtures/site.ts";
import type { AuditPlan } from "../plan/plan.ts";
import { rememberedWebhook } from "./api-1/webhook-memory.ts";
import { forgedWebhooks, replayedWebhook } from "./api-1/webhooks.ts";
import { webhooksFromPages } from "./api-5/webhooks.ts";

// A receiver that refuses by its status, and does what it refuses: the sender is told 403, and the parcel is sent.

/** What a plan has that knows nothing but its upstream's word. */
const byUpstream = ({ plan, received }: TestSite): AuditPlan => ({
  ...plan,
  state: {},
  upstreams: { shop: { received } },
});
const byState = ({ plan }: TestSite): AuditPlan => plan;
const byNothing = ({ plan }: TestSite): AuditPlan => ({ ...plan, state: {} });

/** The longest first, so that the others are made while it waits. */
const checks: readonly Check[] = [replayedWebhook, rememberedWebhook, ...forgedWebhooks];
const done: readonly [fault: Fault, checks: readonly Check[]][] = [
  ["takes webhooks before it judges them", checks],
  ["takes webhooks a moment after it refused them", checks],
  ["takes webhooks from pages that it refuses", [webhooksFromPages]],
];

// Each has a site of its own, and nearly all of its time waits for what might still come.
suite("webhooks", { concurrency: 3 }, () => {
  describe("a delivery that is refused and done", { concurrency: 8 }, () => {
    for (const [fault, of] of done)
      for (const check of of)
        for (const [how, plan] of [
          ["its upstream", byUpstream],
          ["the plan's state", byState],
        ] as const)
          test(`is told by ${how}: ${check.name}, a site that ${fault}`, async () => {
            const { state, evidence } = await checkSite(startExchangeSite(fault), check, plan);
            assert.equal(state, "failed");
            const about = evidence.map((seen) => seen.about).join("\n");
            assert.match(about, plan === byUpstream ? /comes to shop/ : /what it writes, before and after/);
          });
  });

  describe("copies of a delivery at once", { concurrency: 2 }, () => {
    test("are told by their answers where more than one is taken", async () => {
      const site = startExchangeSite("takes copies of webhooks at once");
      const { state, evidence } = await checkSite(site, replayedWebhook, byState);
      assert.equal(state, "failed");
      assert.match(evidence.map(({ about }) => about).join("\n"), /of 8 copies at once so many are taken/);
    });

    test("are told by the upstream where one is said to be taken, and more are done", async () => {
      const site = (): Promise<TestSite> =>
        startExchangeSite("takes copies of webhooks at once, and tells one alone");
      const { state, evidence } = await checkSite(site(), replayedWebhook, byUpstream);
      assert.equal(state, "failed");
      assert.match(
        evidence.map(({ about }) => about).join("\n"),
        /what comes to shop of 8 copies at once; 1 of one/,
      );
      // That the others failed proves nothing where nobody tells.
      assert.equal((await checkSite(site(), replayedWebhook, byState)).state, "missing");
    });
  });

  test("a delivery that is forgotten once another came is told, where it is refused at once", async () => {
    const site = (): Promise<TestSite> => startExchangeSite("remembers one webhook alone");
    const { state, evidence } = await checkSite(site(), rememberedWebhook, byState);
    assert.equal(state, "failed");
    assert.match(evidence.map(({ about }) => about).join("\n"), /and others since, must be refused/);
    assert.equal((await checkSite(site(), replayedWebhook, byState)).state, "passed");
  });

  describe("a delivery that is refused and not done", { concurrency: 4 }, () => {
    for (const check of [...checks, webhooksFromPages]) {
      test(`passes, by what either tells: ${check.name}`, async () => {
        for (const plan of [byUpstream, byState])
          assert.equal((await checkSite(startExchangeSite(), check, plan)).state, "passed");
      });

      test(`shows nothing where neither tells: ${check.name}`, async () => {
        const { state, reason } = await checkSite(startExchangeSite(), check, byNothing);
        assert.equal(state, "missing");
        assert.match(reason ?? "", /neither the plan's state nor an upstream that tells/);
      });
    }
  });
});
