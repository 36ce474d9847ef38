import assert from "node:assert/strict";
import { test } from "node:test";
import { Tally } from "../check.ts";
import type { AuditContext } from "../context.ts";
import { checkSite } from "../fixtures/run-check.ts";
import { startSite } from "../fixtures/site.ts";
import { collect, toResponse } from "../node/response.ts";
import type { Exchange } from "../probes/probe.ts";
import { expectRefusal } from "./api-1/given-away.ts";
import { expectServed } from "./unserved.ts";

function answered(status: number, text: string): Exchange {
  const collected = collect(1000, () => undefined);
  collected.add(new TextEncoder().encode(text));
  const response = toResponse({ protocol: "h2", status, headers: [], collected, startedAt: 0 });
  return { request: { method: "GET", path: "/api/card" }, response };
}

const invalid = answered(502, '{"status":502,"code":"GATEWAY_ANSWER_INVALID"}');
const served = answered(200, '{"id":"1","loaves":7}');

type Outcome = ReturnType<Tally["outcome"]>;

/** What a check that looks so comes to. */
async function outcomeOf(look: (context: AuditContext, tally: Tally) => void): Promise<Outcome> {
  const tally = new Tally();
  const run = async (context: AuditContext): Promise<void> => look(context, tally);
  const { reason } = await checkSite(startSite(), { name: "a test's", kind: "live", run });
  assert.equal(reason, "there was nothing to look at");
  return tally.outcome();
}

test("an honest request that fails says nothing of who is let in: its code and the log do", async () => {
  const expected = (exchange: Exchange): Promise<Outcome> =>
    outcomeOf((context, tally) => {
      const [route] = context.contract.routes;
      assert.ok(route !== undefined);
      expectServed(context, tally, { route, about: "the token in its place is accepted", exchange });
    });
  const { state, reason } = await expected(invalid);
  assert.equal(state, "missing");
  assert.match(
    reason ?? "",
    /^GET \S+: the honest request was answered 502 GATEWAY_ANSWER_INVALID \(the log names the field: npx curtainwall log query \S+ --event gateway\.answer\.refused\)$/,
  );
  assert.match((await expected(answered(500, "Oh no"))).reason ?? "", /was answered 500$/);
  assert.equal((await expected(answered(401, "{}"))).state, "failed");
  assert.equal((await expected(served)).state, "passed");
});

test("a failure refuses nobody and lets nobody in, unless others are served or it says what only they are told", async () => {
  const expected = (control: Exchange | undefined, exchange: Exchange): Promise<Outcome> =>
    outcomeOf((context, tally) =>
      expectRefusal(context, tally, { about: "no token", exchange, told: { canary: "canary-7", control } }),
    );
  const { state, reason } = await expected(invalid, invalid);
  assert.equal(state, "missing");
  assert.match(reason ?? "", /502 GATEWAY_ANSWER_INVALID .* which neither lets anybody in nor refuses$/);
  assert.equal((await expected(undefined, invalid)).state, "missing");
  assert.equal((await expected(served, invalid)).state, "failed");
  assert.equal((await expected(invalid, answered(500, "of canary-7"))).state, "failed");
  assert.equal((await expected(invalid, answered(401, "{}"))).state, "passed");
});
