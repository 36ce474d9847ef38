import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createBreaker } from "./breaker.ts";
import type { Verdict } from "./breaker.ts";

test("each failed trial doubles the rest, up to its bound; one that goes well forgets all of it", () => {
  let time = 0;
  const breaker = createBreaker({ now: () => time });
  for (let count = 0; count < 4; count++) assert.equal(breaker.end("badly", breaker.begin(), false), 0);
  assert.equal(breaker.end("badly", breaker.begin(), false), 1000);
  for (const rest of [2000, 4000, 5000, 5000]) {
    time += rest === 2000 ? 1000 : rest === 4000 ? 2000 : rest;
    assert.ok(breaker.admits());
    assert.equal(breaker.end("badly", breaker.begin(), false), rest);
    assert.ok(!breaker.admits());
  }
  time += 5000;
  assert.equal(breaker.end("well", breaker.begin(), false), 0);
  assert.ok(!breaker.isOpen);
  assert.equal(breaker.end("badly", breaker.begin(), false), 0);
});

test("a trial of which nothing is learnt leaves room for the next", () => {
  let time = 0;
  const breaker = createBreaker({ now: () => time, threshold: 1 });
  breaker.end("badly", breaker.begin(), false);
  time += 1000;
  const isTrial = breaker.begin();
  assert.ok(isTrial && !breaker.admits());
  assert.equal(breaker.end("unknown", isTrial, false), 0);
  assert.ok(breaker.admits());
});

test("a clock that is set back does not keep it open", () => {
  let time = 1_000_000;
  const breaker = createBreaker({ now: () => time, threshold: 1 });
  breaker.end("badly", breaker.begin(), false);
  assert.ok(!breaker.admits());
  time = 0;
  assert.ok(breaker.admits());
});

test("whatever happens: never more than one trial at once, and never closed for good", () => {
  const step = fc.record({
    ends: fc.constantFrom<Verdict>("well", "badly", "unreachable", "unknown"),
    after: fc.integer({ min: 0, max: 3000 }),
    hasOthers: fc.boolean(),
    isStarted: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      let time = 0;
      const breaker = createBreaker({ now: () => time });
      const underWay: boolean[] = [];
      for (const { ends, after, hasOthers, isStarted } of steps) {
        time += after;
        if (isStarted && breaker.admits()) underWay.push(breaker.begin());
        else if (underWay.length > 0) breaker.end(ends, underWay.shift() as boolean, hasOthers);
        assert.ok(underWay.filter((isTrial) => isTrial).length <= 1);
      }
      for (const isTrial of underWay) breaker.end("badly", isTrial, true);
      time += 5000;
      assert.ok(breaker.admits());
    }),
  );
});
