import assert from "node:assert/strict";
import { test } from "node:test";
import { createWorkbench } from "./workbench.ts";

/** A bench with time that is set by hand: work takes as long as it says. */
function openBench(maxWaiting?: number) {
  let now = 0;
  let timers: { at: number; run: () => void }[] = [];
  const log: string[] = [];
  const bench = createWorkbench({
    ...(maxWaiting === undefined ? {} : { maxWaiting }),
    elapsed: () => now,
    schedule: (delayMs, run) => void timers.push({ at: now + delayMs, run }),
  });
  return {
    log,
    rests: () => timers.map(({ at }) => at - now),
    ask: (caller: string, ms: number) =>
      bench.ask(
        caller,
        () => {
          now += ms;
          log.push(caller);
        },
        () => log.push(`${caller} left`),
      ),
    rest() {
      const [timer] = timers;
      timers = timers.slice(1);
      now = timer?.at ?? now;
      timer?.run();
    },
  };
}

test("work is done at once until a shift is over; then as much time is left for all else", () => {
  const { ask, log, rests, rest } = openBench();
  for (const ms of [1, 1, 1]) ask("a", ms);
  assert.deepEqual([log, rests()], [["a", "a", "a"], []]);
  ask("a", 12);
  ask("a", 1);
  assert.deepEqual([log.length, rests()], [4, [15]]);
  rest();
  assert.deepEqual([log.length, rests()], [5, []]);
});

test("callers take turns, however much one of them asks for, and who gave up is passed over", () => {
  const { ask, log, rest } = openBench();
  for (let asked = 0; asked < 60; asked++) ask("flood", 13);
  const giveUp = ask("gone", 1);
  ask("other", 1);
  giveUp();
  rest();
  rest();
  assert.deepEqual(log, ["flood", "flood", "other", "flood"]);
});

test("one caller's flood takes no other's place to wait", () => {
  const { ask, log, rest } = openBench(4);
  for (let asked = 0; asked < 6; asked++) ask("flood", 5);
  ask("other", 1);
  assert.deepEqual(log, ["flood", "flood left", "flood left"]);
  rest();
  rest();
  assert.deepEqual(log.slice(3), ["flood", "other", "flood"]);
});
