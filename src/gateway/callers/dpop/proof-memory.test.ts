import assert from "node:assert/strict";
import { once } from "node:events";
import { suite, test } from "node:test";
import { Worker } from "node:worker_threads";
import fc from "fast-check";
import { createProofMemory, openUsedProofs } from "./proof-memory.ts";

const second = 1_800_000_000;
const windowSeconds = 65;
const open = (slots = 1024, now = (second - 3600) * 1000) =>
  openUsedProofs(createProofMemory({ slots, windowSeconds, now }));

suite("The memory of used proofs", () => {
  test("tells the first use from every other, until the proof is too old to count", () => {
    const used = open();
    for (let age = 0; age < windowSeconds; age++)
      assert.equal(
        used.use("alice 1", second, (second + age) * 1000),
        age === 0 ? "first" : "again",
        `${age}`,
      );
    assert.equal(used.use("alice 1", second, (second + windowSeconds) * 1000), "late");
    assert.equal(used.use("bob 1", second, second * 1000), "first");
    assert.equal(used.use("alice 2", second, second * 1000), "first");
  });

  test("a name that comes again after its time, with a new one, is another proof", () => {
    const used = open();
    assert.equal(used.use("alice 1", second, second * 1000), "first");
    const later = second + windowSeconds;
    assert.equal(used.use("alice 1", later, later * 1000), "first");
    assert.equal(used.use("alice 1", later, later * 1000), "again");
  });

  test("what was made before it is late: the memory of an edge that ended may have known it", () => {
    const used = open(1024, second * 1000 + 500);
    assert.equal(used.use("a", second - 1, second * 1000 + 600), "late");
    assert.equal(used.use("b", second, second * 1000 + 600), "late");
    assert.equal(used.use("c", second + 1, second * 1000 + 600), "first");
  });

  test("when full it refuses, and forgets none", () => {
    const used = open(1024);
    const names = Array.from({ length: 3000 }, (_, index) => `client ${index}`);
    const known = names.filter((name) => used.use(name, second, second * 1000) === "first");
    assert.ok(known.length >= 900 && known.length <= 1024, `${known.length} of 1024`);
    for (const name of known) assert.equal(used.use(name, second, second * 1000 + 64_999), "again");
    const later = second + windowSeconds;
    assert.equal(used.use("next", later, later * 1000), "first", "there is room again once they are over");
  });

  test("a clock that is set back brings no forgotten proof back", () => {
    const used = open(1024);
    const names = Array.from({ length: 300 }, (_, index) => `old ${index}`);
    const known = names.filter((name) => used.use(name, second, second * 1000) === "first");
    // Far ahead for a moment: all are over, and others take their places.
    const ahead = second + 600;
    for (let index = 0; index < 400; index++) used.use(`new ${index}`, ahead, ahead * 1000);
    const uses = new Set(known.map((name) => used.use(name, second, (second + 1) * 1000)));
    assert.deepEqual(uses, new Set(["late"]));
    // Those that come with the time that it really is go on.
    assert.equal(used.use("fresh", second + 2, (second + 2) * 1000), "first");
  });

  test("never tells twice that one proof is the first, whatever comes in between, at whatever times", () => {
    const step = fc.tuple(fc.nat(400), fc.integer({ min: -70, max: 5 }), fc.integer({ min: -40, max: 40 }));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 800, size: "max" }), (steps) => {
        const used = open(1024, (second - 7200) * 1000);
        const firsts = new Set<string>();
        let now = second;
        for (const [number, age, passed] of steps) {
          now += passed;
          const issuedAt = now + age;
          const name = `proof ${number} ${issuedAt}`;
          if (used.use(name, issuedAt, now * 1000) !== "first") continue;
          assert.ok(!firsts.has(name), name);
          firsts.add(name);
        }
      }),
      { numRuns: 50 },
    );
  });

  test("four threads that are given the same proofs at once find each first at most once, and nearly always once", async () => {
    const memory = createProofMemory({ slots: 65_536, windowSeconds, now: (second - 3600) * 1000 });
    const start = new Int32Array(new SharedArrayBuffer(4));
    const count = 20_000;
    const code = `
      import { workerData, parentPort } from "node:worker_threads";
      import { openUsedProofs } from ${JSON.stringify(new URL("proof-memory.ts", import.meta.url).href)};
      const { memory, start, count, second } = workerData;
      const used = openUsedProofs(memory);
      Atomics.add(start, 0, 1);
      while (Atomics.load(start, 0) < 4);
      const firsts = new Uint8Array(count);
      for (let number = 0; number < count; number++)
        firsts[number] = used.use("proof " + number, second, second * 1000) === "first" ? 1 : 0;
      parentPort.postMessage(firsts);`;
    const workers = Array.from(
      { length: 4 },
      () =>
        new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`), {
          workerData: { memory, start, count, second },
        }),
    );
    const answers = await Promise.all(
      workers.map(async (worker) => ((await once(worker, "message")) as [Uint8Array])[0]),
    );
    await Promise.all(workers.map((worker) => worker.terminate()));
    let never = 0;
    for (let number = 0; number < count; number++) {
      const firsts = answers.reduce((sum, one) => sum + (one[number] ?? 0), 0);
      assert.ok(firsts <= 1, `proof ${number} was first ${firsts} times`);
      if (firsts === 0) never++;
    }
    assert.ok(never < count / 100, `${never} of ${count} were refused by all`);
  });
});
