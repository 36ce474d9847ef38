import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { nearlyAsText } from "./nearly.ts";
import { nearTexts } from "./near-texts.ts";

const refusedBy =
  (schema: z.ZodType) =>
  (value: unknown): boolean =>
    !schema.safeParse(value).success;
const near = (schema: z.ZodType, text: string): string[] =>
  [...nearTexts(text, refusedBy(schema))].map(({ value }) => String(value));

test("a text is made to fit in part alone: a pattern that is not held to both ends takes one of them", () => {
  const made = near(z.string().regex(/^[A-Z-]{4,20}$/), "FREE-ROLL");
  const lines = ["FREE-RO\nx", "FREE-R\r\nx", "FREE-RO\u2028x", "x\nEE-ROLL"];
  assert.deepEqual(made, ["FREE-ROLL~", "~FREE-ROLL", ...lines, "F~~~~~~~~"]);
  for (const pattern of [/^[A-Z-]{4,20}/, /[A-Z-]{4,20}$/, /^[A-Z-]/])
    assert.ok(
      made.some((text) => pattern.test(text)),
      String(pattern),
    );
});

test("a text has lines beside it that nobody declared, and is no longer than it was where a part of it fits", () => {
  const code = z
    .string()
    .max(9)
    .regex(/^[A-Z-]{4,}$/);
  const made = near(code, "FREE-ROLL").filter((text) => /[\n\u2028]/.test(text));
  assert.equal(made.length, 4);
  const multiline = z
    .string()
    .max(9)
    .regex(/^[A-Z-]{4,}$/m);
  for (const text of made) assert.ok(multiline.safeParse(text).success, JSON.stringify(text));
  const firstLine = (text: string): boolean => code.safeParse(text.split("\r\n")[0]).success;
  assert.deepEqual(made.filter(firstLine), ["FREE-R\r\nx"]);
  assert.ok(near(z.uuid(), crypto.randomUUID()).some((text) => /^[\da-f-]{36}\nx$/.test(text)));
});

test("formats lose the sign that makes them one, and days are no days", () => {
  assert.ok(near(z.email(), "a.b@c.example").includes("a.bc.example"));
  assert.ok(near(z.url(), "https://c.example/").includes("https//c.example/"));
  assert.ok(near(z.iso.date(), "2026-01-02").includes("2026-02-30"));
  assert.ok(near(z.enum(["placed", "ready"]), "placed").includes("placed~"));
});

test("where any text fits, none nearly does", () => {
  assert.deepEqual(near(z.string(), "thanks"), []);
  assert.deepEqual(near(z.string().max(80), ""), []);
});

test("a number that travels as a text has both of its edges", () => {
  const grams = refusedBy(z.coerce.number().int().min(1).max(20_000));
  const values = nearlyAsText("900", grams).map(({ value }) => value);
  assert.deepEqual(values.slice(0, 2), ["20001", "0"]);
});
