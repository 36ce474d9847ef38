import assert from "node:assert/strict";
import { timingSafeEqual } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { equalBytes } from "./equal-bytes.ts";

test("bytes are equal as node:crypto says, and of another length never", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 40 }),
      fc.uint8Array({ maxLength: 40 }),
      fc.boolean(),
      (one, two, same) => {
        const other = same ? one.slice() : two;
        const expected = one.length === other.length && timingSafeEqual(one, other);
        assert.equal(equalBytes(one, other), expected);
      },
    ),
  );
  assert.ok(!equalBytes(Uint8Array.of(1, 0), Uint8Array.of(1)));
  assert.ok(!equalBytes(Uint8Array.of(1), Uint8Array.of(1, 0)));
  assert.ok(equalBytes(new Uint8Array(), new Uint8Array()));
});

test("one bit is enough to differ, wherever it is", () => {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  for (let bit = 0; bit < 256; bit++) {
    const other = bytes.slice();
    other[bit >> 3] = (other[bit >> 3] as number) ^ (1 << (bit & 7));
    assert.ok(!equalBytes(bytes, other));
  }
});
