import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createGate } from "./gate.ts";
import type { Gate, GateOptions } from "./gate.ts";

const rateOf = (count: number, windowSeconds: number, burst = count) => ({
  text: "",
  count,
  windowSeconds,
  burst,
});

/** A gate with time that is set by hand. */
function openGate(options: Partial<GateOptions> = {}) {
  let now = 0;
  let timers: { at: number; run: () => void }[] = [];
  const gate = createGate({
    concurrency: 2,
    rate: undefined,
    elapsed: () => now,
    schedule(delayMs, run) {
      const timer = { at: now + delayMs, run };
      timers.push(timer);
      return () => void (timers = timers.filter((other) => other !== timer));
    },
    ...options,
  });
  const log: string[] = [];
  return {
    gate,
    log,
    ask: (caller: string) =>
      gate.ask(
        caller,
        () => log.push(caller),
        () => log.push(`${caller} left`),
      ),
    pass(ms: number) {
      now += ms;
      for (const timer of timers.filter(({ at }) => at <= now)) {
        timers = timers.filter((other) => other !== timer);
        timer.run();
      }
    },
  };
}

test("no more are inside than may be, and whoever waits comes in turn", () => {
  const { ask, log, gate } = openGate();
  const leave = ["a", "a", "a", "a", "b"].map(ask);
  assert.deepEqual(log, ["a", "a"]);
  leave[0]?.();
  leave[0]?.();
  assert.equal(gate.inside(), 2);
  leave[1]?.();
  // Not the fourth of a's: b's first.
  assert.deepEqual(log, ["a", "a", "a", "b"]);
});

test("one caller's flood takes no other's place to wait", () => {
  const { ask, log } = openGate({ concurrency: 1, maxWaiting: 4 });
  const leave = Array.from({ length: 6 }, () => ask("flood"));
  assert.equal(log.filter((line) => line === "flood left").length, 1);
  ask("other");
  assert.equal(log.filter((line) => line === "flood left").length, 2);
  // The flood's next, and then the other's first.
  leave[0]?.();
  leave[2]?.();
  assert.deepEqual(log.slice(-2), ["flood", "other"]);
});

test("one caller's slow requests take no places that are kept for another, who goes in at once", () => {
  const { ask, log, gate } = openGate({ concurrency: 32, callers: 2 });
  for (let asked = 0; asked < 100; asked++) ask("slow");
  assert.equal(gate.inside(), 24);
  const leave = Array.from({ length: 10 }, () => ask("other"));
  assert.equal(log.filter((line) => line === "other").length, 8);
  // What it gives back waits for it, and not for the other's.
  leave[0]?.();
  assert.equal(log.at(-1), "other");
  for (const done of leave.slice(1)) done();
  assert.equal(gate.inside(), 24);
});

test("a caller that is alone has all places", () => {
  const { ask, gate } = openGate({ concurrency: 32, callers: 1 });
  for (let asked = 0; asked < 100; asked++) ask("only");
  assert.equal(gate.inside(), 32);
});

test("with fewer places than callers, one caller has half of them at most while others have none", () => {
  const { ask, log } = openGate({ concurrency: 4, callers: 10 });
  for (const caller of ["a", "a", "a", "b", "c", "d"]) ask(caller);
  assert.deepEqual(log, ["a", "a", "b", "c"]);
});

test("whatever is asked and given back, who holds less than the share goes in at once, and no place stays empty for nobody", () => {
  const step = fc.tuple(fc.constantFrom("a", "b", "c", "d"), fc.boolean());
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 24 }), fc.array(step, { maxLength: 80 }), (concurrency, steps) => {
      const callers = 4;
      const { gate, log } = openGate({ concurrency, callers });
      const share = Math.max(1, Math.floor(concurrency / (2 * callers)));
      const held = new Map<string, Set<() => void>>();
      const waiting = new Map<string, number>();
      const holds = (caller: string): number => held.get(caller)?.size ?? 0;
      for (const [caller, isAsking] of steps) {
        const before = log.length;
        if (isAsking) {
          waiting.set(caller, (waiting.get(caller) ?? 0) + 1);
          const wasBelow = holds(caller) < share;
          const mine = held.get(caller) ?? new Set();
          held.set(caller, mine);
          const giveBack = gate.ask(
            caller,
            () => {
              log.push(caller);
              waiting.set(caller, (waiting.get(caller) ?? 0) - 1);
              mine.add(() => giveBack());
            },
            () => assert.fail("there is room to wait"),
          );
          if (wasBelow && concurrency >= callers) assert.equal(log.length, before + 1, "it went in at once");
        } else {
          const [done] = held.get(caller) ?? [];
          if (done === undefined) continue;
          held.get(caller)?.delete(done);
          done();
        }
        const inside = [...held.values()].reduce((sum, { size }) => sum + size, 0);
        assert.equal(gate.inside(), inside);
        assert.ok(inside <= concurrency);
        const free = concurrency - inside;
        const kept = ["a", "b", "c", "d"].reduce((sum, name) => sum + Math.max(0, share - holds(name)), 0);
        const isWaitedFor = [...waiting.values()].some((count) => count > 0);
        assert.ok(!isWaitedFor || free <= kept, `${free} places are free, ${kept} are kept`);
      }
    }),
    { numRuns: 500 },
  );
});

test("who gives up waiting is not let in, and holds nothing", () => {
  const { ask, log, gate } = openGate({ concurrency: 1 });
  const first = ask("a");
  const second = ask("b");
  ask("c");
  second();
  first();
  assert.deepEqual(log, ["a", "c"]);
  assert.equal(gate.inside(), 1);
});

test("a rate lets its burst in at once and the others in time, callers in turn, whatever the clock of the wall does", () => {
  const { ask, log, pass } = openGate({ concurrency: 100, rate: rateOf(2, 1) });
  for (const caller of ["a", "a", "a", "a", "b"]) ask(caller);
  assert.deepEqual(log, ["a", "a"]);
  pass(499);
  assert.equal(log.length, 2);
  pass(1);
  pass(500);
  assert.deepEqual(log.slice(2), ["a", "b"]);
});

test("a rate admits no more than it says over any while", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(400), { maxLength: 60 }), (gaps) => {
      let now = 0;
      let timer: { at: number; run: () => void } | undefined;
      const admitted: number[] = [];
      const gate: Gate = createGate({
        concurrency: 1000,
        rate: rateOf(5, 1, 3),
        elapsed: () => now,
        schedule: (delayMs, run) => {
          timer = { at: now + delayMs, run };
          return () => (timer = undefined);
        },
      });
      for (const gap of gaps) {
        gate.ask(
          String(gap),
          () => void admitted.push(now),
          () => undefined,
        );
        const until = now + gap;
        while (timer !== undefined && timer.at <= until) {
          const { at, run } = timer;
          now = at;
          timer = undefined;
          run();
        }
        now = until;
      }
      for (const [index, at] of admitted.entries()) {
        const inSecond = admitted.slice(index).filter((other) => other < at + 1000).length;
        assert.ok(inSecond <= 3 + 5, `${inSecond} in a second`);
      }
    }),
    { numRuns: 300 },
  );
});
