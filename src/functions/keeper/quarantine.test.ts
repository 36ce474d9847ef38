import assert from "node:assert/strict";
import { test } from "node:test";
import { createQuarantine } from "./quarantine.ts";

function atTime(): { quarantine: ReturnType<typeof createQuarantine>; wait: (ms: number) => void } {
  let time = 1_000_000;
  return { quarantine: createQuarantine({ now: () => time }), wait: (ms) => void (time += ms) };
}

test("a function that ends its process three times is refused for 10 s", () => {
  const { quarantine, wait } = atTime();
  assert.deepEqual(quarantine.processEnded(["bad"]), []);
  assert.deepEqual(quarantine.processEnded(["bad"]), []);
  assert.deepEqual(quarantine.processEnded(["bad"]), [{ function: "bad", forMs: 10_000, times: 1 }]);
  assert.equal(quarantine.remainingMs("bad"), 10_000);
  wait(10_000);
  assert.equal(quarantine.remainingMs("bad"), 0);
});

test("the next time one end is enough, for twice as long, and never longer than a minute, since it may be one visitor who wants it away", () => {
  const { quarantine, wait } = atTime();
  for (let end = 0; end < 3; end++) quarantine.processEnded(["bad"]);
  const times: number[] = [];
  for (let round = 0; round < 12; round++) {
    wait(quarantine.remainingMs("bad"));
    times.push(...quarantine.processEnded(["bad"]).map(({ forMs }) => forMs));
  }
  assert.deepEqual(times.slice(0, 3), [20_000, 40_000, 60_000]);
  assert.equal(Math.max(...times), 60_000);
});

test("ends of more than ten minutes ago are forgotten, and a day without trouble clears the record", () => {
  const { quarantine, wait } = atTime();
  quarantine.processEnded(["bad"]);
  quarantine.processEnded(["bad"]);
  wait(600_001);
  assert.deepEqual(quarantine.processEnded(["bad"]), []);
  quarantine.processEnded(["bad"]);
  assert.equal(quarantine.processEnded(["bad"]).length, 1);
  wait(86_410_001);
  assert.deepEqual(quarantine.processEnded(["bad"]), []);
});

test("of several that were under way each is suspected; a suspect among others is the one that is charged", () => {
  const { quarantine } = atTime();
  quarantine.processEnded(["bad", "good"]);
  assert.ok(quarantine.isSuspect("bad") && quarantine.isSuspect("good"));
  for (let call = 0; call < 10; call++) quarantine.answered("good");
  assert.ok(!quarantine.isSuspect("good"));
  const sentences = [1, 2, 3].flatMap(() => quarantine.processEnded(["bad", "good"]));
  assert.deepEqual(
    sentences.map(({ function: name }) => name),
    ["bad"],
  );
  assert.equal(quarantine.remainingMs("good"), 0);
});

test("an end while nothing was under way is nobody's", () => {
  const { quarantine } = atTime();
  assert.deepEqual(quarantine.processEnded([]), []);
});
