import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { divideTime } from "./ending.ts";

const sumOf = (budgetMs: number, hasCleanUp: boolean): number => {
  const { checksMs, settleMs, closeMs, cleanUpMs } = divideTime(budgetMs, hasCleanUp);
  return checksMs + settleMs + closeMs + cleanUpMs;
};

test("All that an audit waits for comes to its budget and a second at most, and whatever the budget is, three quarters of it are for the checks", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 86_400_000 }), fc.boolean(), (budgetMs, hasCleanUp) => {
      // Of what is added up in fractions of a millisecond.
      assert.ok(sumOf(budgetMs, hasCleanUp) <= budgetMs + 1000 + 1e-6);
      const { checksMs, settleMs, closeMs, cleanUpMs } = divideTime(budgetMs, hasCleanUp);
      assert.ok(checksMs >= (budgetMs * 3) / 4);
      assert.ok(settleMs > 0 && closeMs > 0 && cleanUpMs > 0 === hasCleanUp);
    }),
  );
});

test("With a minute what takes away what was made has ten seconds, and all is over within the budget; without it five are kept", () => {
  const { cleanUpMs } = divideTime(60_000, true);
  assert.deepEqual([cleanUpMs, sumOf(60_000, true)], [10_000, 60_000]);
  assert.equal(divideTime(60_000, false).checksMs, 55_000);
});
