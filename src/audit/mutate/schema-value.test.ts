import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { absentFields, untriedFields } from "./absent-fields.ts";
import { valueFor } from "./schema-value.ts";

test("what is found for a schema is taken by it, with what may be left out", () => {
  const schemas = [
    z.email().max(60),
    z.uuid(),
    z.iso.datetime(),
    z.url(),
    z.string().min(12).max(40),
    z.string().regex(/^[A-Z0-9 ]{3,8}$/),
    z.int().min(5).max(50),
    z.enum(["x", "y"]),
    z.array(z.uuid()).min(2),
    z.record(z.string().regex(/^[a-z]+$/), z.int()),
    z.tuple([z.string(), z.int()]),
    z.union([z.never(), z.boolean()]),
    z.intersection(z.object({ a: z.int() }), z.object({ b: z.int() })),
    z.coerce.number().int(),
    z.string().trim().toLowerCase(),
    z.iso.date().optional(),
  ];
  for (const schema of schemas) {
    const value = valueFor(schema);
    assert.ok(value !== undefined && schema.safeParse(value).success, schema.type);
  }
  assert.deepEqual(valueFor(z.object({ a: z.object({ b: z.int().optional() }).optional() })), {
    a: { b: 1 },
  });
});

test("a schema that contains itself ends, and a pattern that nothing known fits has nothing", () => {
  const Tree = z.object({
    name: z.string(),
    get children() {
      return z.array(Tree).optional();
    },
  });
  assert.deepEqual(valueFor(Tree), { name: "a", children: [] });
  assert.equal(valueFor(z.string().regex(/^not ours$/)), undefined);
});

test("fields that a sample leaves out are put into it, however deep, each by itself", () => {
  const Line = z.object({ bread: z.string(), note: z.string().max(9).optional() });
  const schema = z.object({
    lines: z.array(Line),
    reply: z.email().optional(),
    code: z.literal("x").optional(),
  });
  const fields = absentFields(schema, { lines: [{ bread: "rye" }], code: "x" });
  assert.deepEqual(
    fields.map(({ path, body }) => [path.join("."), body]),
    [
      ["reply", { lines: [{ bread: "rye" }], code: "x", reply: "a@b.example" }],
      ["lines.0.note", { lines: [{ bread: "rye", note: "a" }], code: "x" }],
    ],
  );
});

test("of very many fields some are left out, and told", () => {
  const names = Array.from({ length: 30 }, (_, index) => `field${index}`);
  const schema = z.object(Object.fromEntries(names.map((name) => [name, z.int().optional()])));
  assert.equal(absentFields(schema, {}).length, 24);
  assert.deepEqual(untriedFields(schema, {}), names.slice(24));
});
