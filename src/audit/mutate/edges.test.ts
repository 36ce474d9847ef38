import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { firstTooFew, firstTooMany } from "./edges.ts";

const refusedBy =
  (schema: z.ZodType) =>
  (value: unknown): boolean =>
    !schema.safeParse(value).success;

test("the first value that is one too many is found, for texts, lists and whole numbers", () => {
  assert.deepEqual(firstTooMany("rye", refusedBy(z.string().max(80)))?.value, `ry${"e".repeat(79)}`);
  assert.deepEqual(firstTooMany(["a", "b"], refusedBy(z.array(z.string()).max(4)))?.value, [
    "a",
    "b",
    "a",
    "b",
    "a",
  ]);
  assert.equal(firstTooMany(1, refusedBy(z.int().max(50)))?.value, 51);
  assert.equal(firstTooMany(1, refusedBy(z.int().max(50)))?.name, "51, one too many");
  assert.equal(firstTooMany("7", refusedBy(z.string().max(1)))?.value, "77");
});

test("where nothing is too many, nothing is made up, and nobody looks for ever", () => {
  assert.equal(firstTooMany(1, refusedBy(z.int())), undefined);
  assert.equal(firstTooMany(true, refusedBy(z.boolean())), undefined);
  assert.equal(firstTooMany([], refusedBy(z.array(z.string()).max(4))), undefined);
  assert.equal(firstTooMany(0.5, refusedBy(z.number().max(1))), undefined);
});

test("the first value that is too little is found as well", () => {
  assert.equal(firstTooFew("Only testing", refusedBy(z.string().min(10)))?.value, "Only test");
  assert.deepEqual(firstTooFew(["a", "b", "c"], refusedBy(z.array(z.string()).min(2)))?.value, ["a"]);
  assert.deepEqual(firstTooFew(7, refusedBy(z.int().min(1))), { name: "0, one too small", value: 0 });
  assert.equal(firstTooFew(-3, refusedBy(z.int().min(-90)))?.value, -91);
  assert.equal(firstTooFew("rye", refusedBy(z.string())), undefined);
  assert.equal(firstTooFew(1, refusedBy(z.int())), undefined);
});
