import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatPairs, parseQuery } from "./query.ts";

test("a query with each key once is read as URLSearchParams reads it", () => {
  const pairs = fc.uniqueArray(
    fc.tuple(fc.string({ unit: "binary", minLength: 1 }), fc.string({ unit: "binary" })),
    { selector: ([key]) => key, maxLength: 10 },
  );
  fc.assert(
    fc.property(pairs, (given) => {
      fc.pre(
        given.every(
          ([key, value]) =>
            key !== "__proto__" && [key, value].every((part) => part.isWellFormed() && !part.includes("\0")),
        ),
      );
      const text = new URLSearchParams(given).toString();
      assert.deepEqual(new Map(Object.entries(parseQuery(text) ?? {})), new Map(given));
    }),
  );
});

test("what it writes is read back, by itself and by URLSearchParams", () => {
  const values = fc.dictionary(fc.string({ minLength: 1 }), fc.string(), { noNullPrototype: true });
  fc.assert(
    fc.property(values, (given) => {
      fc.pre(!Object.hasOwn(given, "__proto__") && !JSON.stringify(given).includes("\\u0000"));
      const text = formatPairs(given);
      assert.deepEqual({ ...parseQuery(text) }, given);
      assert.deepEqual(Object.fromEntries(new URLSearchParams(text)), given);
      assert.match(text, /^[\w%.~!'()*&=-]*$/);
    }),
  );
});

test("what servers would read in different ways is not read at all", () => {
  for (const query of [
    "a=1&a=2",
    "a=1&%61=2",
    "a&a",
    "=1",
    "a=1&",
    "&",
    "__proto__=1",
    "a=%",
    "a=%f",
    "a=%ff",
    "%c0%ae=1",
    "a=\ud800",
    "a=%00",
  ])
    assert.equal(parseQuery(query), undefined, query);
  const keys = (count: number): string =>
    Array.from({ length: count }, (_, index) => `k${index}=1`).join("&");
  assert.equal(Object.keys(parseQuery(keys(64)) ?? {}).length, 64);
  assert.equal(parseQuery(keys(65)), undefined);
});

test("plus is a space, a key may lack a value, names of Object's own are plain keys", () => {
  assert.deepEqual(
    { ...parseQuery("a=b+c%2B&d&constructor=1&toString=2") },
    { a: "b c+", d: "", constructor: "1", toString: "2" },
  );
  assert.deepEqual({ ...parseQuery("") }, {});
});

test("a key that may stand several times is a list, however often it does; any other may not", () => {
  const lists = new Set(["tag"]);
  assert.deepEqual({ ...parseQuery("tag=a&x=1&t%61g=b", lists) }, { tag: ["a", "b"], x: "1" });
  assert.deepEqual({ ...parseQuery("tag=a", lists) }, { tag: ["a"] });
  assert.deepEqual({ ...parseQuery("x=1", lists) }, { x: "1" });
  assert.equal(parseQuery("x=1&tag=a&x=2", lists), undefined);
  assert.equal(formatPairs({ tag: ["a", "b&c"], x: "1" }), "tag=a&tag=b%26c&x=1");
  assert.equal(parseQuery("tag=1&".repeat(64) + "tag=1", lists), undefined);
});
