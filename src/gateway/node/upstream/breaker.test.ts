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

test("what breaks off together is one failure: an upstream that is restarted is not avoided for it", () => {
  const breaker = createBreaker({ now: () => 0 });
  for (let round = 0; round < 4; round++) {
    const together = Array.from({ length: 50 }, () => breaker.begin());
    for (const number of together) assert.equal(breaker.end("badly", number, false), 0);
  }
  const together = [breaker.begin(), breaker.begin()];
  assert.equal(breaker.end("badly", together[0] as number, false), 1000);
});

test("a trial of which nothing is learnt leaves room for the next", () => {
  let time = 0;
  const breaker = createBreaker({ now: () => time, threshold: 1 });
  breaker.end("badly", breaker.begin(), false);
  time += 1000;
  const trial = breaker.begin();
  assert.ok(!breaker.admits());
  assert.equal(breaker.end("unknown", trial, false), 0);
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
      const underWay: { number: number; isTrial: boolean }[] = [];
      for (const { ends, after, hasOthers, isStarted } of steps) {
        time += after;
        const { isOpen } = breaker;
        if (isStarted && breaker.admits()) underWay.push({ number: breaker.begin(), isTrial: isOpen });
        else if (underWay.length > 0) breaker.end(ends, underWay.shift()?.number ?? 0, hasOthers);
        assert.ok(underWay.filter(({ isTrial }) => isTrial).length <= 1);
      }
      for (const { number } of underWay) breaker.end("badly", number, true);
      time += 5000;
      assert.ok(breaker.admits());
    }),
  );
});
