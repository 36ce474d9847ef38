import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { z } from "zod";
import { shapeOf } from "./shape-of.ts";
import { fitShape } from "./shape.ts";

const Node = z.object({
  name: z.string(),
  get inner() {
    return z.array(Node).optional();
  },
});

const schemas = {
  text: z.string().min(2).max(4),
  pattern: z.string().regex(/^[a-z]+$/i),
  sticky: z.string().regex(/a/g),
  uuid: z.uuid(),
  whole: z.int().min(1).max(9),
  number: z.number().min(-1),
  boolean: z.boolean(),
  literal: z.literal(["a", 1, null]),
  enum: z.enum(["GBP", "EUR"]),
  list: z.array(z.int()).min(1).max(2),
  tuple: z.tuple([z.string(), z.int()], z.boolean()),
  object: z.object({ a: z.string(), b: z.int().optional(), c: z.boolean().default(true) }),
  record: z.record(z.string().max(3), z.int()),
  union: z.union([z.object({ kind: z.literal("a"), a: z.int() }), z.object({ kind: z.literal("b") })]),
  nullable: z.string().nullable(),
  both: z.intersection(z.object({ a: z.string() }), z.object({ b: z.string() })),
  recursive: Node,
};

/** Values of every sort, the awkward ones often. */
const values = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.constantFrom<unknown>(
    "a",
    "ab",
    "abcde",
    "GBP",
    0,
    1,
    9,
    10,
    1.5,
    null,
    true,
    [],
    [1],
    [1, 2, 3],
    {},
    { a: "x", b: 1 },
    {
      kind: "a",
      a: 1,
    },
    { kind: "b", x: 1 },
    { a: "x", b: "y", c: true },
    ["a", 1, true],
    ["a"],
    { name: "x", inner: [{ name: "y", inner: [] }] },
    {
      name: "x",
      inner: [{ name: 7 }],
    },
  ),
  fc.uuid(),
);

for (const [name, schema] of Object.entries(schemas)) {
  test(`a browser accepts of "${name}" what Zod lets out, unchanged, and nothing that Zod would not`, () => {
    const shapes = JSON.parse(JSON.stringify(shapeOf(schema))) as ReturnType<typeof shapeOf>;
    fc.assert(
      fc.property(values, (value) => {
        const parsed = schema.safeParse(value);
        if (parsed.success)
          assert.deepEqual(fitShape(shapes, structuredClone(parsed.data)), {
            value: parsed.data,
            dropped: [],
          });
        const fitted = fitShape(shapes, value);
        // What it accepts as it came, Zod accepts as well.
        if (fitted.fault === undefined) assert.ok(parsed.success, JSON.stringify(value));
      }),
      { numRuns: 300 },
    );
  });
}

test("members that nobody declared are left behind and named, one called __proto__ too", () => {
  const shapes = shapeOf(z.object({ a: z.object({ b: z.int() }) }));
  const value: unknown = JSON.parse('{"a":{"b":1,"__proto__":{"x":1},"c":2},"d":3}');
  assert.deepEqual(fitShape(shapes, value), { value: { a: { b: 1 } }, dropped: ["a.__proto__", "a.c", "d"] });
  const record = fitShape(shapeOf(z.record(z.string(), z.int())), JSON.parse('{"__proto__":1}'));
  assert.equal(Object.getPrototypeOf((record as { value: object }).value), Object.prototype);
});

test("a fault says where it is", () => {
  const shapes = shapeOf(z.object({ products: z.array(z.object({ price: z.int() })) }));
  assert.equal(fitShape(shapes, { products: [{ price: 1 }, { price: "1" }] }).fault?.at, "products[1].price");
  assert.equal(fitShape(shapes, {}).fault?.at, "products");
  assert.equal(fitShape(shapes, []).fault?.at, "the answer");
});

test("what a browser can't be told how to check is refused when the site is built", () => {
  for (const schema of [z.any(), z.unknown(), z.map(z.string(), z.string()), z.string().transform(Number)])
    assert.throws(() => shapeOf(schema), { code: "CONTRACT_SCHEMA_UNSUPPORTED" });
});
