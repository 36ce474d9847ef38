import assert from "node:assert/strict";
import { test } from "node:test";
import { comesEachTime } from "./each-time.ts";

/** What is told where so much comes while nothing is sent, and of what is sent: in order, and then nothing. */
async function told(idle: readonly number[], busy: readonly number[]): Promise<number | undefined> {
  const [quiet, loud] = [idle.values(), busy.values()];
  return comesEachTime({
    idle: async () => quiet.next().value ?? 0,
    busy: async () => loud.next().value ?? 0,
  });
}

test("What is sent brings nothing about where a visitor came beside it once or twice", async () => {
  assert.equal(await told([], []), 0);
  assert.equal(await told([], [1]), 0);
  assert.equal(await told([], [2, 1]), 0);
});

test("What comes each time is the doing of what is sent", async () => {
  assert.equal(await told([], [1, 1, 2]), 2);
});

test("What comes late of what was sent before is nobody else's", async () => {
  assert.equal(await told([3, 1, 0, 2, 0, 1], [1, 1, 1]), 1);
});

test("Where others go on asking, nothing is known", async () => {
  assert.equal(await told([1, 1, 1], []), undefined);
  assert.equal(await told([0, 1, 2, 1], [1]), undefined);
});
