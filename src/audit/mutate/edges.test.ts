import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { firstTooMany } from "./edges.ts";

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
