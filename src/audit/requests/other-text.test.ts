import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { otherText } from "./other-text.ts";

test("a text is followed by others of its form, each of them another", () => {
  assert.equal(otherText("FREE-BREAD", 0), "FREE-BREAD");
  assert.equal(otherText("FREE-BREAD", 1), "FREE-BREAE");
  assert.equal(otherText("1009", 1), "1000");
  const made = Array.from({ length: 400 }, (_, count) => otherText("FREE-BREAD", count));
  assert.equal(new Set(made).size, made.length);
  for (const text of made) assert.match(text, /^[A-Z]{4}-[A-Z]{5}$/);
});

test("another UUID is one", () => {
  const id = "0b1f6c0e-5d1c-4a55-8f3e-6f8f4f0f8a11";
  for (let count = 0; count < 400; count++) assert.ok(z.uuid().safeParse(otherText(id, count)).success);
});

test("what has neither letters nor digits stays as it is", () => {
  assert.equal(otherText("-", 3), "-");
  assert.equal(otherText("", 3), "");
});
