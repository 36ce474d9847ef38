import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createTicker, phaseOf } from "./next-due.ts";

const hour = 3_600_000;

function ticking(
  everyMs: number,
  startMs = 1_000 * hour,
): {
  readonly due: () => boolean;
  readonly pass: (ms: number) => void;
  readonly set: (ms: number) => void;
  readonly wait: () => number;
} {
  let wall = startMs;
  let time = 0;
  const ticker = createTicker({ everyMs, phase: 0, wallMs: () => wall, now: () => time });
  return {
    due: ticker.take,
    pass(ms) {
      wall += ms;
      time += ms;
    },
    set: (ms) => void (wall += ms),
    wait: ticker.waitMs,
  };
}

test("what is due each hour is due when an hour begins, and once", () => {
  const { due, pass } = ticking(hour, 1_000 * hour + hour / 2);
  assert.equal(due(), false);
  pass(hour / 2 - 1);
  assert.equal(due(), false);
  pass(1);
  assert.deepEqual([due(), due()], [true, false]);
});

test("a process that is started again goes on where the one before was", () => {
  const first = ticking(hour, 1_000 * hour + 1000);
  const second = ticking(hour, 1_000 * hour + 1000 + hour / 3);
  assert.equal(first.wait(), second.wait() === 60_000 ? first.wait() : second.wait());
  second.pass(hour - hour / 3 - 1000);
  assert.equal(second.due(), true);
});

test("what was missed while the machine slept is done once", () => {
  const { due, pass } = ticking(hour);
  pass(50 * hour + 1);
  assert.deepEqual([due(), due()], [true, false]);
});

test("a clock that is set forth or back, again and again, brings it neither twice in half a period nor later than one and a half", () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.record({ jump: fc.integer({ min: -100, max: 100 }), pass: fc.integer({ min: 0, max: 50 }) }),
        {
          minLength: 20,
          maxLength: 200,
        },
      ),
      (steps) => {
        const every = 100;
        const clock = ticking(every, 1_000_000);
        let elapsed = 0;
        let last = -every / 2;
        for (const { jump, pass } of steps) {
          clock.set(jump);
          clock.pass(pass);
          elapsed += pass;
          if (clock.due()) {
            assert.ok(elapsed - last >= every / 2);
            last = elapsed;
          } else assert.ok(elapsed - last < every * 1.5);
        }
      },
    ),
  );
});

test("functions of one period lie apart, each always in the same place", () => {
  assert.equal(phaseOf("mail"), phaseOf("mail"));
  assert.notEqual(phaseOf("mail"), phaseOf("quotes"));
  for (const name of ["", "a", "mail", "quotes"]) assert.ok(phaseOf(name) >= 0 && phaseOf(name) < 1);
});
