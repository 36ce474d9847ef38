import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { Worker } from "node:worker_threads";
import fc from "fast-check";
import { createLimitMemory, createLimitStore, maxLimitSpanMs } from "./rate-limit.ts";
import type { LimitRate, LimitStore } from "../types.ts";

const epoch = 1_800_000_000_000;
const open = (maxClients = 1000): LimitStore =>
  createLimitStore(createLimitMemory({ maxClients, now: epoch }));
const perMinute = (count: number, burst = count, id = 1): LimitRate => ({
  id,
  burst,
  intervalMs: 60_000 / count,
});

/** The algorithm as the book has it: a bucket that leaks evenly, without bits, ticks or threads. */
function createReference({ burst, intervalMs }: LimitRate): (nowMs: number) => number {
  let whole = Number.NEGATIVE_INFINITY;
  return (nowMs) => {
    const ahead = Math.max(0, whole - nowMs);
    const tolerance = (burst - 1) * intervalMs;
    if (ahead > tolerance) return -(ahead - tolerance);
    whole = nowMs + ahead + intervalMs;
    return Math.floor((tolerance - ahead) / intervalMs);
  };
}

suite("the algorithm", () => {
  test("it admits and refuses exactly as the textbook's does, whatever the limit and the times", () => {
    // Intervals that are whole ticks of 10 µs, so that there is nothing to round.
    const limit = fc.record({
      id: fc.nat(100),
      burst: fc.integer({ min: 1, max: 50 }),
      intervalMs: fc.integer({ min: 1, max: 5000 }),
    });
    const steps = fc.array(fc.oneof(fc.nat(20), fc.nat(20_000)), { maxLength: 200 });
    fc.assert(
      fc.property(limit, steps, (rate, pauses) => {
        const store = open();
        const reference = createReference(rate);
        let now = epoch;
        for (const pause of pauses) {
          now += pause;
          assert.equal(store.take(rate, "a", now), reference(now));
        }
      }),
    );
  });

  test("a rate that is no whole number of ticks is never exceeded, and nearly reached", () => {
    for (const count of [7, 11, 997, 7919]) {
      const store = open();
      const rate = { id: 1, burst: 1, intervalMs: 1000 / count };
      let admitted = 0;
      for (let now = epoch; now < epoch + 10_000; now += 0.02)
        if (store.take(rate, "a", now) >= 0) admitted++;
      assert.ok(admitted <= count * 10 + 1 && admitted >= count * 10 * 0.85, `${admitted} of ${count * 10}`);
    }
  });

  test("a burst comes at once; the rest evenly", () => {
    const store = open();
    const rate = perMinute(60, 3);
    const admitted = (now: number): number => {
      let count = 0;
      while (store.take(rate, "a", now) >= 0) count++;
      return count;
    };
    assert.deepEqual(
      [0, 999, 1000, 1999, 3500, 60_000].map((at) => admitted(epoch + at)),
      [3, 0, 1, 0, 2, 3],
    );
  });

  test("clients, and limits of one client, do not touch each other", () => {
    const store = open();
    assert.equal(store.take(perMinute(1), "a", epoch), 0);
    assert.ok(store.take(perMinute(1), "a", epoch) < 0);
    assert.equal(store.take(perMinute(1), "b", epoch), 0);
    assert.equal(store.take(perMinute(1, 1, 2), "a", epoch), 0);
  });

  test("the time to wait is the time after which a request is admitted", () => {
    const store = open();
    const rate = perMinute(90, 2);
    store.take(rate, "a", epoch);
    store.take(rate, "a", epoch);
    const wait = -store.take(rate, "a", epoch);
    assert.equal(wait, 667);
    assert.ok(store.take(rate, "a", epoch + wait - 2) < 0);
    assert.ok(store.take(rate, "a", epoch + wait) >= 0);
  });

  test("a limit of a month works; a longer one is refused", () => {
    const store = open();
    const rate = { id: 1, burst: 31, intervalMs: 86_400_000 };
    for (let count = 0; count < 31; count++) assert.equal(store.take(rate, "a", epoch), 30 - count);
    assert.equal(store.take(rate, "a", epoch), -86_400_000);
    assert.equal(store.take(rate, "a", epoch + 86_400_000), 0);
    assert.equal(rate.burst * rate.intervalMs, maxLimitSpanMs);
    assert.throws(() => store.take({ ...rate, burst: 32 }, "a", epoch), { code: "GATEWAY_OPTION_INVALID" });
  });

  test("memory out of range is refused when it is made", () => {
    for (const maxClients of [0, 999, 10_000_001, 1e100, Number.NaN, 1500.5])
      assert.throws(() => createLimitMemory({ maxClients }), { code: "GATEWAY_OPTION_INVALID" });
  });
});

suite("clocks", () => {
  // 40 bits of 10 µs wrap around after 127 days.
  const days = 86_400_000;

  test("however long a client stayed away, it finds its whole allowance", () => {
    fc.assert(
      fc.property(fc.integer({ min: 60_000, max: 2000 * days }), (away) => {
        const store = open();
        const rate = perMinute(5);
        for (let count = 0; count < 6; count++) store.take(rate, "a", epoch);
        const left = store.take(rate, "a", epoch + away);
        // Within a minute of a whole turn an old counter can't be told from a new one.
        const turn = (2 ** 40 * 0.01) / 1;
        const fromTurn = Math.min(away % turn, turn - (away % turn));
        if (fromTurn > 180_000) assert.equal(left, 4);
      }),
    );
  });

  test("the limit is exact across the wrap-around", () => {
    const store = open();
    const rate = perMinute(60, 3);
    const turn = epoch + 2 ** 40 * 0.01 - 1500;
    const admitted = Array.from({ length: 80 }, (_, index) => store.take(rate, "a", turn + index * 50) >= 0);
    // Three at once, then one a second: the wrap lies between.
    assert.equal(admitted.filter(Boolean).length, 6);
  });

  test("a clock set back before the start keeps counting, and locks nobody out for longer than the limit spans", () => {
    const store = open();
    const rate = perMinute(5);
    for (let count = 0; count < 6; count++) store.take(rate, "a", epoch + 3_600_000);
    const back = epoch - 3_600_000;
    const left = Array.from({ length: 6 }, () => store.take(rate, "a", back));
    assert.deepEqual(left.slice(0, 5), [4, 3, 2, 1, 0]);
    assert.ok((left[5] as number) < 0);
  });

  test("a thread whose clock reads a little earlier does not forget what the others counted", () => {
    const store = open();
    const rate = perMinute(5);
    for (let count = 0; count < 5; count++) store.take(rate, "a", epoch + 2000);
    for (const behind of [0, 1, 10, 100, 1000]) assert.ok(store.take(rate, "a", epoch + 2000 - behind) < 0);
  });
});

suite("a flood of clients", () => {
  test("memory does not grow, and whoever used up a limit stays refused while new ones come and go", () => {
    const memory = createLimitMemory({ maxClients: 1000, now: epoch });
    const { byteLength } = memory.buffer;
    assert.ok(byteLength <= 1000 * 16);
    const store = createLimitStore(memory);
    const rate = perMinute(10);
    // Each of these owes more time than the flood's clients do, so the flood pushes out its own.
    const greedy = Array.from({ length: 50 }, (_, index) => `greedy ${index}`);
    for (const client of greedy) while (store.take(rate, client, epoch) >= 0);
    for (let count = 0; count < 50_000; count++) store.take(rate, `flood ${count}`, epoch + (count >> 10));
    const stillRefused = greedy.filter((client) => store.take(rate, client, epoch + 100) < 0);
    assert.ok(stillRefused.length >= 49, `${stillRefused.length} of 50`);
    assert.equal(memory.buffer.byteLength, byteLength);
  });

  test("the counter idle longest gives way first", () => {
    const store = createLimitStore({ ...createLimitMemory({ maxClients: 1000, now: epoch }), seed: [1, 2] });
    const rate = { id: 1, burst: 1, intervalMs: 3_600_000 };
    for (let count = 0; count < 1000; count++) store.take(rate, `old ${count}`, epoch);
    for (let count = 0; count < 200; count++) store.take(rate, `new ${count}`, epoch + 60_000);
    const remembered = (name: string, count: number): number =>
      Array.from({ length: count }, (_, index) =>
        store.take(rate, `${name} ${index}`, epoch + 61_000),
      ).filter((left) => left < 0).length;
    assert.equal(remembered("new", 200), 200);
    const old = remembered("old", 1000);
    assert.ok(old > 100 && old < 830, `${old} old ones remembered`);
  });

  test("clients that share a full place can't free each other by taking turns", () => {
    const store = createLimitStore({ ...createLimitMemory({ maxClients: 1000, now: epoch }), seed: [1, 2] });
    const rate = perMinute(1);
    for (let count = 0; count < 2000; count++) store.take(perMinute(1, 1, 2), `filler ${count}`, epoch);
    let admitted = 0;
    for (let round = 0; round < 20; round++)
      for (let client = 0; client < 200; client++)
        if (store.take(rate, `turn ${client}`, epoch + 1 + round) >= 0) admitted++;
    assert.equal(admitted, 200);
  });
});

const workerSource = `
  import { workerData, parentPort } from "node:worker_threads";
  const { createLimitStore } = await import(workerData.module);
  const store = createLimitStore(workerData.memory);
  const gate = new Int32Array(workerData.gate);
  parentPort.on("message", () => undefined);
  Atomics.add(gate, 0, 1);
  Atomics.notify(gate, 0);
  Atomics.wait(gate, 1, 0);
  const admitted = workerData.keys.map(() => 0);
  for (let round = 0; round < workerData.rounds; round++)
    workerData.keys.forEach((key, index) => {
      if (store.take(workerData.rate, key, workerData.now) >= 0) admitted[index]++;
    });
  parentPort.postMessage(admitted);
  parentPort.close();
`;

/** Lets threads that wait at one gate hammer one memory, and adds up what each key was granted. */
async function hammer(threads: number, keys: string[], rounds: number, rate: LimitRate): Promise<number[]> {
  // A known key: with a random one, now and then nine of many clients fall into one place.
  const memory = { ...createLimitMemory({ maxClients: 100_000, now: epoch }), seed: [1, 2] };
  const gate = new SharedArrayBuffer(8);
  const workerData = {
    module: new URL("./rate-limit.ts", import.meta.url).href,
    memory,
    gate,
    keys,
    rounds,
    rate,
    now: epoch,
  };
  const url = new URL(`data:text/javascript,${encodeURIComponent(workerSource)}`);
  const workers = Array.from({ length: threads }, () => new Worker(url, { workerData }));
  const results = workers.map(
    (worker) =>
      new Promise<number[]>((resolve, reject) => {
        worker.once("message", resolve);
        worker.once("error", reject);
      }),
  );
  const state = new Int32Array(gate);
  for (let ready = 0; ready < threads; ready = Atomics.load(state, 0)) {
    const change = Atomics.waitAsync(state, 0, ready);
    if (change.async) await change.value;
  }
  Atomics.store(state, 1, 1);
  Atomics.notify(state, 1);
  const granted = await Promise.all(results);
  return keys.map((_, index) => granted.reduce((sum, admitted) => sum + (admitted[index] ?? 0), 0));
}

suite("threads that share one memory", () => {
  test("together they admit exactly the limit to one client that all of them serve", async () => {
    assert.deepEqual(await hammer(4, ["a"], 20_000, perMinute(10_000)), [10_000]);
  });

  test("a client that all of them see for the first time is counted once", async () => {
    // The first charges are where two threads may both find an empty place.
    const keys = Array.from({ length: 20_000 }, (_, index) => `client ${index}`);
    const granted = await hammer(4, keys, 2, perMinute(1));
    assert.deepEqual(
      granted.filter((count) => count !== 1),
      [],
    );
  });
});
