import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { z } from "zod";
import { closeObjects } from "../../contract/index.ts";
import type { Schema } from "../../contract/index.ts";
import { createExactCheck } from "./exact-check.ts";

const passes = (schema: Schema, value: unknown): boolean => {
  const check = createExactCheck(schema);
  assert.ok(check, "it can be compiled");
  return check(value);
};

interface Sample {
  readonly schema: z.ZodType;
  /** Often as the schema wants it, often nearly. */
  readonly value: unknown;
}

const text = fc.oneof(
  fc.string({ maxLength: 6 }),
  fc.constantFrom("ada@baker.example", "2026-11-22", "7a0e2d3e-8d5c-4a39-9a52-1d7d3f6c2b11"),
);
const number = fc.oneof(fc.integer({ min: -4, max: 4 }), fc.double(), fc.constant(2 ** 53));
const name = fc.constantFrom("a", "b", "c", "toString", "constructor", "__proto__", "hasOwnProperty");

/** A value of JSON: what `JSON.parse` makes, so that `__proto__` is a member like any other. */
const json = (value: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc
    .array(fc.tuple(name, value), { maxLength: 3 })
    .map((members) =>
      JSON.parse(
        `{${members.map(([key, member]) => `${JSON.stringify(key)}:${JSON.stringify(member) ?? "null"}`).join()}}`,
      ),
    );

const leaf: fc.Arbitrary<Sample> = fc.oneof(
  fc.record({
    schema: fc.constantFrom<z.ZodType>(
      z.string(),
      z.string().min(2).max(4),
      z.string().length(3),
      z.string().regex(/^[a-z]+$/),
      z.email().max(20),
      z.string().email(),
      z.uuid(),
      z.iso.date(),
      z.enum(["a", "b"]),
      z.literal("a"),
    ),
    value: text,
  }),
  fc.record({
    schema: fc.constantFrom<z.ZodType>(
      z.number(),
      z.int(),
      z.number().int().min(-1),
      z.number().positive(),
      z.number().nonnegative().max(3),
      z.literal([1, 2]),
    ),
    value: number,
  }),
  fc.record({ schema: fc.constant(z.boolean()), value: fc.boolean() }),
  fc.record({ schema: fc.constant(z.null()), value: fc.constant(null) }),
);

const { sample } = fc.letrec<{ sample: Sample }>((tie) => ({
  sample: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    leaf,
    fc
      .tuple(
        fc.uniqueArray(fc.tuple(name, tie("sample"), fc.boolean()), {
          selector: ([key]) => key,
          maxLength: 3,
        }),
        fc.boolean(),
      )
      .map(([members, isStrict]) => {
        const fields = members.map(([key, { schema }, isOptional]) => [
          key,
          isOptional ? schema.optional() : schema,
        ]);
        const shape = Object.fromEntries(fields) as Record<string, z.ZodType>;
        const parts = members.map(
          ([key, { value }]) => `${JSON.stringify(key)}:${JSON.stringify(value) ?? "null"}`,
        );
        return {
          schema: isStrict ? z.strictObject(shape) : z.object(shape),
          value: JSON.parse(`{${parts.join()}}`) as unknown,
        };
      }),
    fc.array(tie("sample"), { minLength: 1, maxLength: 3 }).map((list) => ({
      schema: z.array(z.union(list.map(({ schema }) => schema))).max(2),
      value: list.map(({ value }) => value),
    })),
    tie("sample").map(({ schema, value }) => ({ schema: schema.nullable(), value })),
  ),
}));

suite("What passes without Zod", () => {
  test("passes Zod too, which changes nothing of it; with closed objects nothing else passes Zod", () => {
    fc.assert(
      fc.property(sample, sample, json(text), (first, other, object) => {
        const closed = closeObjects(first.schema, "refuse");
        const check = createExactCheck(first.schema);
        const closedCheck = createExactCheck(closed);
        if (check === undefined || closedCheck === undefined) return;
        for (const value of [first.value, other.value, object]) {
          const parsed = z.core.safeParse(first.schema, value);
          if (check(value)) assert.deepEqual(parsed, { success: true, data: value });
          const isExact = z.core.safeParse(closed, value);
          if (closedCheck(value)) assert.deepEqual(isExact, { success: true, data: value });
        }
      }),
      { numRuns: 2000 },
    );
  });

  test("is what a route usually gets", () => {
    const Order = z.strictObject({
      id: z.uuid(),
      email: z.email().max(200),
      lines: z.array(z.strictObject({ product: z.string().min(1), count: z.int().min(1) })).max(20),
      note: z.string().max(500).optional(),
      price: z.number().nonnegative().nullable(),
    });
    const order = {
      id: "7a0e2d3e-8d5c-4a39-9a52-1d7d3f6c2b11",
      email: "ada@baker.example",
      lines: [{ product: "rye", count: 2 }],
      price: null,
    };
    assert.ok(passes(Order, order));
    assert.ok(passes(Order, { ...order, note: "sliced" }));
    assert.ok(!passes(Order, { ...order, extra: 1 }));
    assert.ok(!passes(Order, { ...order, lines: [{ product: "rye", count: 2, extra: 1 }] }));
    assert.ok(!passes(Order, { ...order, lines: [{ product: "rye", count: 1.5 }] }));
    assert.ok(!passes(Order, [order]));
    assert.ok(!passes(Order, JSON.parse(`{"__proto__":{},${JSON.stringify(order).slice(1)}`)));
  });
});

test("A schema that changes values, or checks what only Zod knows, is left to Zod", () => {
  const left: Record<string, z.ZodType> = {
    trimmed: z.string().trim(),
    url: z.url(),
    custom: z.string().refine((value) => value !== "x"),
    coerced: z.coerce.number(),
    defaulted: z.object({ a: z.string().default("x") }),
    "defaulted, deep": z.array(z.object({ a: z.object({ b: z.string().default("x") }) })),
    piped: z.string().pipe(z.string()),
    "a pattern with memory": z.string().regex(/a/g),
    "several patterns": z.string().regex(/a/).regex(/b/),
    multiple: z.number().multipleOf(2),
    refined: z.object({ a: z.string() }).refine(() => false),
    "refined optional": z.object({
      a: z
        .string()
        .optional()
        .refine(() => false),
    }),
    lazy: z.lazy(() => z.string()),
    record: z.record(z.string(), z.string()),
    any: z.any(),
    "a member that Zod leaves out": z.object({ ["__proto__"]: z.string() }),
    "an exclusive union": z.xor([z.string(), z.literal("a")]),
    "a union whose first option drops members": z.union([z.object({}), z.object({ a: z.null() })]),
    "own format": z.stringFormat("email", () => false),
  };
  for (const [name, schema] of Object.entries(left)) assert.equal(createExactCheck(schema), undefined, name);
  interface Tree {
    below: Tree[];
  }
  const Tree: z.ZodType<Tree> = z.object({
    get below() {
      return z.array(Tree);
    },
  });
  assert.equal(createExactCheck(Tree), undefined, "a schema that contains itself");
});
