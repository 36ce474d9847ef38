import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ownsAnswer } from "./ownership.ts";

test("an object belongs to the subject that its field names, at any depth", () => {
  assert.ok(ownsAnswer({ customerId: "alice" }, "customerId", "alice"));
  assert.ok(ownsAnswer({ order: { customer: { id: "alice" } } }, "order.customer.id", "alice"));
});

test("a list belongs to a subject if every element does; an empty one to anybody", () => {
  assert.ok(ownsAnswer([{ id: "alice" }, { id: "alice" }], "id", "alice"));
  assert.ok(ownsAnswer([], "id", "alice"));
  assert.ok(!ownsAnswer([{ id: "alice" }, { id: "bob" }], "id", "alice"));
  assert.ok(!ownsAnswer([{ id: "alice" }, {}], "id", "alice"));
  assert.ok(!ownsAnswer([[{ id: "alice" }]], "id", "alice"));
});

test("what names no subject, another, or something like it, belongs to nobody", () => {
  for (const value of [
    undefined,
    null,
    "alice",
    7,
    {},
    { id: null },
    { id: ["alice"] },
    { id: { id: "alice" } },
    { ID: "alice" },
    { id: "Alice" },
    { id: "alice " },
  ])
    assert.ok(!ownsAnswer(value, "id", "alice"), JSON.stringify(value));
  assert.ok(!ownsAnswer({ id: undefined }, "id", undefined));
  assert.ok(!ownsAnswer({}, "id", undefined));
  assert.ok(!ownsAnswer({ id: 7 }, "id", "7"));
});

test("a field that only a prototype has is not there", () => {
  assert.ok(!ownsAnswer(Object.create({ id: "alice" }), "id", "alice"));
  assert.ok(!ownsAnswer(JSON.parse('{"__proto__":{"id":"alice"}}'), "id", "alice"));
  assert.ok(!ownsAnswer("alice", "length", "5"));
  assert.ok(!ownsAnswer({ a: {} }, "a.constructor.name", "Object"));
});

test("no answer makes it throw, and none belongs to a subject that it does not contain", () => {
  fc.assert(
    fc.property(fc.anything(), fc.string({ minLength: 1 }), (value, field) => {
      const isEmptyList = Array.isArray(value) && value.length === 0;
      assert.equal(ownsAnswer(value, field, "a subject that nobody is called"), isEmptyList);
    }),
  );
});
