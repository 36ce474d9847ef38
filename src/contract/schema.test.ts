import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { z } from "zod";
import type { Schema } from "./define/schema.ts";
import { closeObjects, inspectSchema } from "./schema.ts";

type Json = string | number | boolean | null | Json[] | { [name: string]: Json };

/** A schema with a value that it accepts. */
interface Sample {
  schema: z.ZodType;
  value: Json;
}

const fieldName = fc.constantFrom("name", "price", "items", "note", "owner");
const leaf: fc.Arbitrary<Sample> = fc.constantFrom<Sample>(
  { schema: z.string().max(20), value: "rye" },
  { schema: z.number().int(), value: 7 },
  { schema: z.boolean(), value: true },
  { schema: z.literal("x"), value: "x" },
  { schema: z.enum(["a", "b"]), value: "b" },
);

const objectOf = (member: fc.Arbitrary<Sample>): fc.Arbitrary<Sample> =>
  fc.dictionary(fieldName, member, { minKeys: 1, maxKeys: 3, noNullPrototype: true }).map((fields) => ({
    schema: z.object(mapValues(fields, (field) => field.schema)),
    value: mapValues(fields, (field) => field.value),
  }));

/** Every way in which one schema holds another. */
const wrappers: ((inner: Sample) => Sample)[] = [
  ({ schema, value }) => ({ schema: z.array(schema), value: [value, value] }),
  ({ schema, value }) => ({ schema: schema.optional(), value }),
  ({ schema, value }) => ({ schema: schema.nullable(), value }),
  ({ schema, value }) => ({ schema: schema.readonly(), value }),
  ({ schema, value }) => ({ schema: schema.default(value), value }),
  ({ schema, value }) => ({ schema: schema.prefault(value), value }),
  ({ schema, value }) => ({ schema: schema.optional().nonoptional(), value }),
  ({ schema, value }) => ({ schema: z.lazy(() => schema), value }),
  ({ schema, value }) => ({ schema: z.record(z.string(), schema), value: { key: value } }),
  ({ schema, value }) => ({ schema: z.tuple([z.number(), schema]), value: [1, value] }),
  ({ schema, value }) => ({ schema: z.tuple([z.number()], schema), value: [1, value] }),
  ({ schema, value }) => ({ schema: z.union([schema, z.literal("other")]), value }),
  ({ schema, value }) => ({
    schema: z.discriminatedUnion("kind", [
      z.object({ kind: z.literal("a"), inner: schema }),
      z.object({ kind: z.literal("b") }),
    ]),
    value: { kind: "a", inner: value },
  }),
  ({ schema, value }) => ({
    schema: z.intersection(z.object({ left: schema }), z.object({ right: z.number() })),
    value: { left: value, right: 1 },
  }),
  ({ schema, value }) => ({ schema: schema.pipe(schema), value }),
  ({ schema, value }) => ({ schema: schema.refine(() => true), value }),
  ({ schema, value }) => ({ schema: schema.describe("described").meta({ title: "Titled" }), value }),
];

const { sample } = fc.letrec<{ sample: Sample }>((tie) => ({
  sample: fc.oneof(
    { maxDepth: 5, depthSize: "large" },
    objectOf(leaf),
    objectOf(tie("sample")),
    fc.tuple(tie("sample"), fc.constantFrom(...wrappers)).map(([inner, wrap]) => wrap(inner)),
  ),
}));

function mapValues<T, U>(record: Record<string, T>, change: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]));
}

/** A path to each object inside a value that stands for a declared object (the keys of a record are free). */
function objectPaths(value: Json, path: string[] = []): string[][] {
  if (value === null || typeof value !== "object") return [];
  const own = Array.isArray(value) || "key" in value ? [] : [path];
  return [...own, ...Object.entries(value).flatMap(([name, member]) => objectPaths(member, [...path, name]))];
}

function withExtra(value: Json, path: readonly string[], name: string): Json {
  const copy = structuredClone(value);
  let target: unknown = copy;
  for (const step of path) target = (target as Record<string, unknown>)[step];
  Object.defineProperty(target, name, {
    value: "extra",
    enumerable: true,
    configurable: true,
    writable: true,
  });
  return copy;
}

const parse = (schema: Schema, value: unknown): z.ZodSafeParseResult<unknown> =>
  (schema as z.ZodType).safeParse(value);

const extraName = fc.constantFrom("extra", "isAdmin", "constructor", "toString", "__proto__", "");

test("a closed schema accepts what the open one accepts, and gives the same value", () => {
  fc.assert(
    fc.property(sample, ({ schema, value }) => {
      for (const undeclared of ["refuse", "strip"] as const)
        assert.deepEqual(parse(closeObjects(schema, undeclared), value), parse(schema, value));
    }),
  );
});

test("an undeclared key is refused in every object of a request, however deep it lies", () => {
  fc.assert(
    fc.property(sample, extraName, fc.nat(), ({ schema, value }, name, choice) => {
      const paths = objectPaths(value);
      const path = paths[choice % paths.length] ?? [];
      const { success } = parse(closeObjects(schema, "refuse"), withExtra(value, path, name));
      assert.equal(success, false, `${name} at /${path.join("/")} passed`);
    }),
    { numRuns: 400 },
  );
});

test("an undeclared key is dropped from every object of an answer, however deep it lies", () => {
  fc.assert(
    fc.property(sample, extraName, fc.nat(), ({ schema, value }, name, choice) => {
      const paths = objectPaths(value);
      const path = paths[choice % paths.length] ?? [];
      const strict = parse(closeObjects(schema, "strip"), withExtra(value, path, name));
      assert.deepEqual(strict.data, parse(schema, value).data);
    }),
    { numRuns: 400 },
  );
});

test("a schema that was strict or loose by its author's hand is closed the way the contract says", () => {
  for (const made of [z.object, z.strictObject, z.looseObject]) {
    const schema = made({ inner: made({ a: z.number() }) });
    const extra = { inner: { a: 1, b: 2 } };
    assert.equal(parse(closeObjects(schema, "refuse"), extra).success, false);
    assert.deepEqual(parse(closeObjects(schema, "strip"), extra).data, { inner: { a: 1 } });
  }
});

test("a schema that contains itself is closed at every turn", () => {
  const Comment = z.object({
    text: z.string(),
    get replies() {
      return z.array(Comment);
    },
  });
  const tree = (extra: object): object => ({
    text: "a",
    replies: [{ text: "b", replies: [{ text: "c", replies: [], ...extra }] }],
  });
  assert.deepEqual(inspectSchema(Comment, "input"), []);
  assert.equal(parse(closeObjects(Comment, "refuse"), tree({})).success, true);
  assert.equal(parse(closeObjects(Comment, "refuse"), tree({ isAdmin: true })).success, false);
  assert.deepEqual(parse(closeObjects(Comment, "strip"), tree({ isAdmin: true })).data, tree({}));
});

test("a refinement still runs on a closed schema, and a default still fills in", () => {
  const schema = z
    .object({ from: z.number(), to: z.number().default(9) })
    .refine(({ from, to }) => from <= to, "the wrong way round");
  const closed = closeObjects(schema, "refuse");
  assert.deepEqual(parse(closed, { from: 1 }).data, { from: 1, to: 9 });
  assert.equal(parse(closed, { from: 10 }).success, false);
});

test("a union behind a pipe does not forget the undeclared keys that were found before it", async () => {
  const Ends: z.ZodType<unknown, { a: number | string }> = z.union([
    z.object({ a: z.number() }),
    z.object({ a: z.string() }),
  ]);
  const closed = closeObjects(z.object({ a: z.union([z.number(), z.string()]) }).pipe(Ends), "refuse");
  assert.equal(parse(closed, { a: 1 }).success, true);
  assert.deepEqual(
    parse(closed, { a: 1, b: 2 }).error?.issues.map((issue) => issue.code),
    ["unrecognized_keys"],
  );
  const slow = z
    .object({ a: z.union([z.number(), z.string()]) })
    .pipe(Ends.refine(() => Promise.resolve(true)));
  const result = await (closeObjects(slow, "refuse") as z.ZodType).safeParseAsync({ a: 1, b: 2 });
  assert.equal(result.success, false);
});

test("closing leaves the author's schema as it was", () => {
  const schema = z.object({ a: z.object({ b: z.number() }) }).meta({ id: "SchemaTestUntouched" });
  closeObjects(schema, "refuse");
  assert.deepEqual(parse(schema, { a: { b: 1, c: 2 }, d: 3 }).data, { a: { b: 1 } });
  assert.equal(schema.meta()?.id, "SchemaTestUntouched");
});

const kindsIn = (schema: Schema, direction: "input" | "output"): string[] =>
  inspectSchema(schema, direction).map((problem) => `${problem.at} ${problem.kind}`);

test("what accepts anything is found wherever it hides", () => {
  const holes: Schema[] = [
    z.any(),
    z.unknown(),
    z.custom<string>(),
    z.string().catch("x"),
    z.looseObject({}),
    z.object({}).catchall(z.string()),
    z.looseRecord(z.string().regex(/^x-/), z.string()),
  ];
  for (const hole of holes) {
    for (const wrap of wrappers) {
      const { schema } = wrap({ schema: hole as z.ZodType, value: null });
      assert.ok(
        kindsIn(schema, "output").some((problem) => problem.endsWith(" open")),
        `${hole._zod.def.type} in ${schema.def.type}`,
      );
    }
  }
});

test("a problem is named with the way to it", () => {
  const schema = z.object({ order: z.object({ items: z.array(z.object({ note: z.any() })) }) });
  assert.deepEqual(kindsIn(schema, "input"), ["/order/items/[]/note open"]);
});

test("what JSON can't hold is refused; what is read from text may come in, but not go out", () => {
  for (const schema of [z.map(z.string(), z.string()), z.set(z.string()), z.symbol(), z.nan(), z.file()])
    assert.deepEqual(kindsIn(schema, "input"), ["/ unsupported"]);
  assert.deepEqual(kindsIn(z.date(), "input"), ["/ unsupported"]);
  assert.deepEqual(kindsIn(z.coerce.date(), "input"), []);
  assert.deepEqual(kindsIn(z.coerce.date(), "output"), ["/ unsupported"]);
});

test("an answer is checked, not changed: transforms and codecs are refused there", () => {
  const codec = z.codec(z.string(), z.number(), { decode: Number, encode: String });
  for (const schema of [
    z.string().transform(Number),
    z.preprocess(String, z.string()),
    codec,
    z.stringbool(),
  ])
    assert.ok(kindsIn(schema, "output").length > 0);
  assert.deepEqual(kindsIn(z.string().transform(Number), "input"), []);
});

test("a schema that builds another copy at each step is refused instead of being followed for ever", () => {
  const endless = (): z.ZodType =>
    z.object({ left: z.lazy(endless).optional(), right: z.lazy(endless).optional() });
  const problems = inspectSchema(endless(), "input");
  assert.equal(problems.length, 1);
  assert.match(problems[0]?.message ?? "", /must refer to itself/);
});
