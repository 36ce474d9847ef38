import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { Worker } from "node:worker_threads";
import fc from "fast-check";
import { createGateMemory, openGates } from "./gates.ts";
import { createLimitMemory, createLimitStore } from "./rate-limit.ts";

const epoch = 1_800_000_000_000;

suite("counters of what there is one of", () => {
  test("they admit, refuse and give back exactly as the store of clients does", () => {
    const step = fc.record({
      pause: fc.nat(3000),
      cost: fc.integer({ min: 1, max: 5 }),
      gives: fc.boolean(),
    });
    const rate = fc.record({
      id: fc.nat(3),
      burst: fc.integer({ min: 5, max: 30 }),
      intervalMs: fc.integer({ min: 1, max: 2000 }),
    });
    fc.assert(
      fc.property(rate, fc.array(step, { maxLength: 60 }), (limit, steps) => {
        const gates = openGates(createGateMemory({ counters: 4, doors: 0, now: epoch }));
        const store = createLimitStore(createLimitMemory({ now: epoch }));
        let now = epoch;
        for (const { pause, cost, gives } of steps) {
          now += pause;
          if (gives) {
            gates.counters.giveBack(limit, "", now, cost);
            store.giveBack(limit, "", now, cost);
          } else assert.equal(gates.counters.take(limit, "", now, cost), store.take(limit, "", now, cost));
        }
      }),
    );
  });

  test("what was given back can be taken again, and never more than that", () => {
    const { counters } = openGates(createGateMemory({ counters: 1, doors: 0, now: epoch }));
    const rate = { id: 0, burst: 3, intervalMs: 60_000 };
    for (let count = 0; count < 3; count++) counters.take(rate, "", epoch);
    assert.ok(counters.take(rate, "", epoch) < 0);
    counters.giveBack(rate, "", epoch, 2);
    assert.deepEqual([counters.take(rate, "", epoch), counters.take(rate, "", epoch)], [1, 0]);
    for (let count = 0; count < 9; count++) counters.giveBack(rate, "", epoch);
    assert.equal(counters.take(rate, "", epoch), 2);
  });

  test("a clock that is set back locks nobody out", () => {
    const { counters } = openGates(createGateMemory({ counters: 1, doors: 0, now: epoch }));
    const rate = { id: 0, burst: 2, intervalMs: 1000 };
    counters.take(rate, "", epoch + 7_200_000);
    assert.equal(counters.take(rate, "", epoch), 1);
  });
});

suite("doors", () => {
  test("so many are let in at once, whichever thread asks", () => {
    const memory = createGateMemory({ counters: 0, doors: 2, threads: 2 });
    const [first, second] = [openGates(memory, 0).door(1, 3), openGates(memory, 1).door(1, 3)];
    assert.deepEqual(
      [first, second, first, second, first].map((door) => door.enter()),
      [true, true, true, false, false],
    );
    second.leave();
    assert.deepEqual([first.enter(), second.enter()], [true, false]);
    assert.equal(openGates(memory, 0).door(0, 1).enter(), true);
  });

  test("who died inside is let out when its thread starts again; the others stay", () => {
    const memory = createGateMemory({ counters: 1, doors: 1, threads: 3 });
    const door = (thread: number) => openGates(memory, thread).door(0, 4);
    const survivor = door(0);
    survivor.enter();
    const dying = door(2);
    for (let count = 0; count < 3; count++) assert.ok(dying.enter());
    assert.ok(!survivor.enter());
    const restarted = door(2);
    assert.deepEqual(
      [1, 2, 3, 4].map(() => restarted.enter()),
      [true, true, true, false],
    );
  });

  test("threads that hammer one door are never inside together in greater number, and leave it empty", async () => {
    const memory = createGateMemory({ counters: 1, doors: 1, threads: 3, now: epoch });
    const seen = new SharedArrayBuffer(12);
    const source = `
      import { workerData, parentPort } from "node:worker_threads";
      const { openGates } = await import(workerData.module);
      const { memory, thread, seen } = workerData;
      const door = openGates(memory, thread).door(0, 2);
      const counts = new Int32Array(seen);
      let entered = 0;
      while (entered < 20_000) {
        if (!door.enter()) continue;
        entered++;
        const inside = Atomics.add(counts, 0, 1) + 1;
        if (inside > 2) Atomics.store(counts, 1, inside);
        Atomics.sub(counts, 0, 1);
        door.leave();
      }
      parentPort.postMessage("done");`;
    const module = new URL("./gates.ts", import.meta.url).href;
    await Promise.all(
      [0, 1, 2].map((thread) => {
        const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`), {
          workerData: { memory, thread, seen, module },
        });
        return new Promise((resolve, reject) => {
          worker.once("exit", resolve);
          worker.once("error", reject);
        });
      }),
    );
    assert.equal(new Int32Array(seen)[1], 0);
    const door = openGates(memory, 0).door(0, 2);
    assert.deepEqual([door.enter(), door.enter(), door.enter()], [true, true, false]);
  });
});

test("the first thread that loses the store says so, and the last one that has it back", () => {
  const memory = createGateMemory({ counters: 0, doors: 0, threads: 2 });
  const [first, second] = [openGates(memory, 0), openGates(memory, 1)];
  assert.deepEqual([first.noteLost(true), second.noteLost(true)], [true, false]);
  assert.deepEqual([first.noteLost(false), second.noteLost(false)], [false, true]);
  assert.deepEqual([second.noteLost(true), second.noteLost(false)], [true, true]);
});
