import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { createAnswerStore } from "./answer-store.ts";
import type { StoredAnswer } from "./answer-store.ts";

const make = (key: string, length = 100, path = `/${key}`): StoredAnswer => ({
  key,
  path,
  storedAt: 0,
  freshUntil: 1,
  staleUntil: 1,
  ageMs: 0,
  answer: { status: 200, text: "x".repeat(length), headers: { "x-a": "b" } },
});

suite("the room for answers", () => {
  test("is never exceeded, in bytes or entries, whatever is kept, used or forgotten; what is given was put last", () => {
    const step = fc.record({
      what: fc.constantFrom("put", "get", "forget"),
      key: fc.nat(30),
      length: fc.nat(3000),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const store = createAnswerStore({ maxBytes: 40_000, maxEntries: 12 });
        const last = new Map<string, StoredAnswer>();
        for (const { what, key, length } of steps) {
          const name = String(key);
          // Three keys a path, as of several subjects.
          const path = `/${key % 10}`;
          if (what === "put") {
            const stored = make(name, length, path);
            store.put(stored);
            last.set(name, stored);
          } else if (what === "forget") {
            store.forget(path);
            for (const [other, stored] of last) if (stored.path === path) last.delete(other);
          } else {
            const given = store.get(name);
            assert.ok(given === undefined || given === last.get(name));
          }
          assert.ok(store.bytes <= 40_000 && store.bytes >= 0 && store.size <= 12);
        }
        for (let path = 0; path < 10; path++) store.forget(`/${path}`);
        assert.deepEqual([store.bytes, store.size], [0, 0]);
      }),
    );
  });

  test("is not taken by answers that one client asks for once each, from those that are used", () => {
    const store = createAnswerStore({ maxBytes: 1_000_000, maxEntries: 100 });
    for (let index = 0; index < 50; index++) {
      store.put(make(`used-${index}`));
      store.get(`used-${index}`);
    }
    for (let index = 0; index < 10_000; index++) store.put(make(`flood-${index}`));
    for (let index = 0; index < 50; index++) assert.ok(store.get(`used-${index}`) !== undefined);
  });

  test("holds no answer that would take a sixteenth of it", () => {
    const store = createAnswerStore({ maxBytes: 1_000_000, maxEntries: 100 });
    store.put(make("small", 100));
    store.put(make("large", 40_000));
    assert.equal(store.get("large"), undefined);
    assert.ok(store.get("small") !== undefined);
  });
});
