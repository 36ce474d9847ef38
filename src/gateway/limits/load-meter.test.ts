import assert from "node:assert/strict";
import { test } from "node:test";
import type { Priority, SecurityEvent } from "../../contract/index.ts";
import { createLoadMeter } from "./load-meter.ts";

/** A meter on a thread whose ticks come as late as the test says. */
function open() {
  let now = 1000;
  let tick = (): void => undefined;
  let endTurn = (): void => undefined;
  const events: SecurityEvent[] = [];
  const meter = createLoadMeter({
    events: (event) => events.push(event),
    clock: () => now,
    afterTurn: (run) => (endTurn = run),
    every: (_, run) => {
      tick = run;
      return () => (tick = () => undefined);
    },
  });
  return {
    meter,
    events,
    /** Lets so much time pass, with ticks that are each so late. */
    pass(totalMs: number, lateMs: number): void {
      for (const end = now + totalMs; now < end;) {
        now += 10 + lateMs;
        tick();
        endTurn();
      }
    },
    /** Time that passes within a turn. */
    wait(ms: number): void {
      now += ms;
    },
    /** The next requests come in another turn. */
    nextTurn: () => endTurn(),
    /** How many of so many are refused, after the few that are always begun. */
    shed(priority: Priority, of = 100): number {
      for (let count = 0; count < 4; count++) meter.sheds(priority);
      return Array.from({ length: of }, () => meter.sheds(priority)).filter(Boolean).length;
    },
  };
}

test("a thread that is in time refuses nothing", () => {
  const thread = open();
  thread.pass(10_000, 15);
  assert.deepEqual([thread.shed("low"), thread.shed("normal"), thread.shed("high")], [0, 0, 0]);
});

test("a thread that stays late refuses more and more: low priority first, high priority never", () => {
  const thread = open();
  thread.pass(1000, 60);
  const low = thread.shed("low");
  assert.ok(low > 20 && thread.shed("normal") === 0, `${low} of 100`);
  thread.pass(10_000, 60);
  assert.equal(thread.shed("low"), 100);
  const normal = thread.shed("normal");
  assert.ok(normal >= 90 && normal < 100, `${normal} of 100`);
  assert.equal(thread.shed("high"), 0);
});

test("a thread that was late refuses what is left of a turn that takes long, until nothing is any more", () => {
  const thread = open();
  thread.pass(750, 60);
  assert.equal(thread.shed("normal"), 0);
  thread.wait(3);
  assert.deepEqual([thread.shed("low", 1), thread.shed("normal", 1)], [1, 0]);
  thread.wait(2);
  assert.deepEqual([thread.shed("normal", 1), thread.shed("high", 1)], [1, 0]);
  for (let turn = 0; turn < 100; turn++) {
    thread.pass(10, 0);
    assert.equal(thread.meter.sheds("normal"), false, `the first of turn ${turn}`);
    thread.wait(5);
    assert.equal(thread.meter.sheds("normal"), true, `the second of turn ${turn}`);
  }
  thread.pass(5000, 0);
  thread.shed("normal", 0);
  thread.wait(21);
  assert.equal(thread.shed("normal", 1), 0);
});

test("whoever comes while the thread is late waits for one other and for no more", () => {
  const thread = open();
  thread.pass(750, 60);
  for (let turn = 0; turn < 50; turn++) {
    let begun = 0;
    for (let request = 0; request < 20; request++) {
      if (thread.meter.sheds("normal")) continue;
      begun++;
      thread.wait(5);
    }
    assert.equal(begun, 1, `turn ${turn}`);
    thread.nextTurn();
  }
});

test("once it is in time again, all are let in again", () => {
  const thread = open();
  thread.pass(10_000, 60);
  thread.pass(6000, 0);
  assert.equal(thread.shed("low"), 0);
});

test("however late it is, a few requests in each turn are begun: it is not they who make it late", () => {
  const thread = open();
  thread.pass(10_000, 300);
  for (let turn = 0; turn < 10; turn++) {
    const begun = Array.from({ length: 4 }, () => thread.meter.sheds("normal"));
    assert.deepEqual(begun, [false, false, false, false]);
    assert.ok(thread.shed("normal", 50) > 40);
    thread.pass(10, 300);
  }
});

test("too many that wait for upstreams are as bad as lateness, at once", () => {
  const thread = open();
  thread.meter.pending = 499;
  assert.equal(thread.shed("low"), 0);
  thread.meter.pending = 500;
  assert.equal(thread.shed("low"), 100);
  assert.equal(thread.shed("normal"), 0);
  thread.meter.pending = 750;
  assert.equal(thread.shed("normal"), 50);
  thread.meter.pending = 1000;
  assert.equal(thread.shed("normal"), 100);
  assert.equal(thread.shed("high"), 0);
});

test("what was refused is told as a number, once a second", () => {
  const thread = open();
  thread.meter.pending = 1000;
  thread.shed("normal", 4996);
  assert.equal(thread.events.length, 0);
  thread.pass(3000, 0);
  assert.deepEqual(
    thread.events.map((event) => event.type === "gateway.load.shed" && event.count),
    [5000],
  );
});
