import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { encodeFields } from "./encode-fields.ts";
import type { Field } from "./encode-fields.ts";

const field = fc.oneof(
  fc.string({ maxLength: 4 }),
  fc.integer(),
  fc.uint8Array({ maxLength: 4 }),
  fc.constant(null),
);
const fields = fc.array(field, { maxLength: 4 });
const hex = (list: readonly Field[]): string => Buffer.from(encodeFields(list)).toString("hex");

test("Two lists have the same bytes only if they are the same, and none begins another", () => {
  fc.assert(
    fc.property(fields, fields, (one, other) => {
      const isSame = JSON.stringify(one.map(shown)) === JSON.stringify(other.map(shown));
      assert.equal(hex(one) === hex(other), isSame);
      if (!isSame) assert.ok(!hex(one).startsWith(hex(other)));
    }),
  );
});

const shown = (value: Field): unknown =>
  value instanceof Uint8Array ? { bytes: Array.from(value) } : { value };

test("What stands in one field is never read as the next, and a text is not the bytes that it has", () => {
  assert.notEqual(hex(["ab", "c"]), hex(["a", "bc"]));
  assert.notEqual(hex(["a", ""]), hex(["a"]));
  assert.notEqual(hex(["a"]), hex([Buffer.from("a")]));
  assert.notEqual(hex([null]), hex([""]));
  assert.notEqual(hex([0]), hex([new Uint8Array(8)]));
  assert.equal(hex([1]), hex([1n]));
});
