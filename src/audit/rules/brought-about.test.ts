import assert from "node:assert/strict";
import { test } from "node:test";
import type { ReceivedRequest } from "../probes/upstream-witness.ts";
import type { Caller } from "../requests/caller.ts";
import { countArrivals, moreCame } from "./brought-about.ts";
import type { Effects } from "./brought-about.ts";

const payment: ReceivedRequest = { method: "POST", target: "/payments", headers: {} };
/** Nobody here asks for anything by it. */
const caller = {} as Caller;

/** An upstream that tells, and to which an honest request brings these. */
function upstreamWith(ofHonest: readonly ReceivedRequest[]): Effects & { arrived: ReceivedRequest[] } {
  const arrived: ReceivedRequest[] = [payment];
  return {
    at: "shop",
    arrived,
    came: async () => [...arrived],
    askHonestly: async () => arrived.push(...ofHonest) > 0 && ofHonest.length > 0,
  };
}

test("what comes between two looks is counted by the second: a refusal is answered before what is done all the same has come", async () => {
  const effects = upstreamWith([]);
  const comesWhile = await countArrivals(effects);
  const nothing = async (): Promise<void> => undefined;
  assert.equal(await comesWhile(nothing), 0);
  effects.arrived.push(payment);
  assert.equal(await comesWhile(nothing), 1);
  assert.equal(await comesWhile(nothing), 0);
});

test("silence counts once an honest request that was made later is seen, and what came with it does not", async () => {
  const before = [payment];
  assert.equal(await moreCame(upstreamWith([payment]), caller, before), false);
  assert.equal(await moreCame(upstreamWith([payment, payment]), caller, before), true, "it came late");
  assert.equal(await moreCame(upstreamWith([]), caller, before), undefined, "nothing comes of anybody");
  assert.equal(await moreCame(upstreamWith([]), caller, []), true, "it is there already");
});
