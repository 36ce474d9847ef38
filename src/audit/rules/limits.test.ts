import assert from "node:assert/strict";
import { test } from "node:test";
import { Tally } from "../check.ts";
import { judgeSpending } from "./limits.ts";
import type { Spending } from "./limits.ts";

/** 300 at once, and five more each second. */
const limit = { burst: 300, count: 300, windowSeconds: 60, text: "300/min per client" };

function stateOf(spending: Omit<Spending, "about" | "limit">): { state: string; reason?: string } {
  const tally = new Tally();
  judgeSpending(tally, { about: "GET /api/products/:id", limit, ...spending });
  const { state, reason } = tally.outcome();
  return { state, ...(reason === undefined ? {} : { reason }) };
}

test("a burst that ends as the limit says passes", () => {
  assert.deepEqual(stateOf({ admitted: 302, isRefused: true, seconds: 0.4 }), { state: "passed" });
});

test("more than may have grown again is broken, however long it took, and whether or not a 429 came", () => {
  assert.equal(stateOf({ admitted: 310, isRefused: false, seconds: 0.4 }).state, "failed");
  assert.equal(stateOf({ admitted: 310, isRefused: true, seconds: 0.4 }).state, "failed");
  assert.equal(stateOf({ admitted: 1000, isRefused: false, seconds: 40 }).state, "failed");
});

test("a machine that was too slow to spend the limit shows nothing: 310 of at most 408 in 21.6 s, and no 429", () => {
  const { state, reason } = stateOf({ admitted: 310, isRefused: false, seconds: 21.6 });
  assert.equal(state, "missing");
  assert.match(reason ?? "", /310 requests took 21\.60 s, in which 108 of the limit's 300 grew again/);
});

test("a 429 after so long that a looser limit would have held as well shows nothing", () => {
  assert.equal(stateOf({ admitted: 400, isRefused: true, seconds: 35 }).state, "missing");
});

test("failures are neither admitted nor refused", () => {
  assert.equal(stateOf({ admitted: 200, failed: 150, isRefused: true, seconds: 0.4 }).state, "missing");
  assert.equal(stateOf({ admitted: 290, failed: 5, isRefused: true, seconds: 0.4 }).state, "passed");
  assert.equal(stateOf({ admitted: 320, failed: 5, isRefused: true, seconds: 0.4 }).state, "failed");
});

test("what refuses even the first shows no limit", () => {
  assert.equal(stateOf({ admitted: 0, isRefused: true, seconds: 0.1 }).state, "missing");
});
