import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { runInThisContext } from "node:vm";
import fc from "fast-check";
import { z } from "zod";
import { closeObjects } from "../schema.ts";
import { reviewPermissions } from "./review.ts";
import { schemaPermissions } from "./schema-node.ts";
import { isWithin } from "./within.ts";

/** What a lock that grants one schema says of another in its place. */
function widenings(before: z.ZodType, after: z.ZodType, direction: "input" | "output" = "input"): string[] {
  const read = (schema: z.ZodType) => [
    { at: "POST /a access", permits: { access: { kind: "everyone" } } },
    ...schemaPermissions(closeObjects(schema, "refuse"), "POST /a body", direction),
  ];
  // As the lock's file has it.
  const locked = JSON.parse(
    JSON.stringify(read(before).map((entry) => ({ ...entry, recorded: "2026-11-22" }))),
  ) as Parameters<typeof reviewPermissions>[1];
  return reviewPermissions(read(after), locked).widened.map(({ at }) => at.replace("POST /a ", ""));
}

const name = z.string().min(2).max(40);
/** A function whose text is this, to the letter. */
const made = (text: string) => runInThisContext(text) as (value: string) => boolean;
const cases: Record<string, [before: z.ZodType, after: z.ZodType, widens: string[]]> = {
  "the same": [z.object({ name }), z.object({ name }), []],
  "a new member": [z.object({ name }), z.object({ name, role: z.string().optional() }), ["body/role"]],
  "a required member that is gone": [
    z.object({ name, proof: z.string() }),
    z.object({ name }),
    ["body/proof"],
  ],
  "an optional member that is gone": [z.object({ name, note: name.optional() }), z.object({ name }), []],
  "a required member that is optional now": [
    z.object({ name }),
    z.object({ name: name.optional() }),
    ["body/name"],
  ],
  "an optional member that is required now": [z.object({ name: name.optional() }), z.object({ name }), []],
  "a member with a default now": [z.object({ name }), z.object({ name: name.default("me") }), ["body/name"]],
  "a longer text": [z.object({ name }), z.object({ name: z.string().min(2).max(41) }), ["body/name"]],
  "a shorter text": [z.object({ name }), z.object({ name: z.string().min(3).max(39) }), []],
  "a text without bounds": [z.object({ name }), z.object({ name: z.string() }), ["body/name"]],
  "a number's larger bound": [z.number().lt(5), z.number().max(5), ["body"]],
  "a number's open bound": [z.number().max(5), z.number().lt(5), []],
  fractions: [z.int(), z.number(), ["body"]],
  "whole numbers": [z.number(), z.int(), []],
  null: [z.object({ name }), z.object({ name: name.nullable() }), ["body/name"]],
  "another pattern": [z.string().regex(/^a$/), z.string().regex(/^[ab]$/), ["body"]],
  "the same pattern, and one more": [z.string().regex(/^a/), z.string().regex(/^a/).regex(/b$/), []],
  "a format that is gone": [z.uuid(), z.string(), ["body"]],
  "a format's own pattern": [z.email(), z.email({ pattern: /.*/ }), ["body"]],
  "a format's looser option": [z.iso.datetime(), z.iso.datetime({ offset: true }), ["body"]],
  "one more value": [z.enum(["a", "b"]), z.enum(["a", "b", "c"]), ["body"]],
  "one value less": [z.enum(["a", "b", "c"]), z.literal("b"), []],
  "a value in place of any text": [z.string(), z.enum(["a", "b"]), []],
  "any text in place of a value": [z.enum(["a", "b"]), z.string(), ["body"]],
  "another type": [
    z.object({ name }),
    z.object({ name: z.object({ first: name }) }),
    ["body/name", "body/name/first"],
  ],
  "a type more": [z.string().max(3), z.union([z.string().max(3), z.int()]), ["body"]],
  "a type less": [z.union([z.string().max(3), z.int()]), z.int(), []],
  "the types in another order": [z.union([z.string(), z.int()]), z.union([z.int(), z.string()]), []],
  "a member inside of a union": [
    z.union([z.object({ a: name }), z.int()]),
    z.union([z.object({ a: name, b: name }), z.int()]),
    ["body"],
  ],
  "a longer list": [z.array(name).max(3), z.array(name).max(4), ["body"]],
  "wider elements": [z.array(name), z.array(z.string()), ["body/[]"]],
  "a check that is gone": [z.string().refine((text) => text !== "admin"), z.string(), ["body"]],
  "another check": [
    z.string().refine((text) => text !== "admin"),
    z.string().refine((text) => text !== "root"),
    ["body"],
  ],
  "a check that is done only when a function says so": [
    z.string().refine((text) => text !== "admin"),
    z.string().refine((text) => text !== "admin", { when: () => false }),
    ["body"],
  ],
  "a bound that is kept only when a function says so": [
    z.string().max(5),
    z.string().check(z.maxLength(5, { when: () => false } as never)),
    ["body"],
  ],
  "a check of the parts that lie below": [
    z.string().check(({ value, issues }) => {
      if (value === "admin") issues.push({ code: "custom", input: value });
    }),
    z.string().check(() => undefined),
    ["body"],
  ],
  "a format that a function of one's own judges": [
    z.stringFormat("own", (text) => text === "a"),
    z.stringFormat("own", () => true),
    ["body"],
  ],
  "an address that Zod has a looser pattern for": [
    z.email(),
    z.email({ pattern: z.regexes.unicodeEmail }),
    ["body"],
  ],
  "what makes another text of it": [z.string().trim(), z.string().overwrite(() => "admin"), ["body"]],
  "what makes another text of it, now": [
    z.enum(["user"]),
    z.enum(["user"]).overwrite(() => "admin" as "user"),
    ["body"],
  ],
  "a check that looks before the blanks are cut off": [
    z
      .string()
      .trim()
      .refine((text) => text !== "admin"),
    z
      .string()
      .refine((text) => text !== "admin")
      .trim(),
    ["body"],
  ],
  "of parts that a member tells apart, one that takes less": [
    z.discriminatedUnion("k", [z.object({ k: z.literal("a"), n: name }), z.object({ k: z.literal("b") })]),
    z.discriminatedUnion("k", [
      z.object({ k: z.literal("a"), n: z.string().min(3).max(4) }),
      z.object({ k: z.literal("b") }),
    ]),
    [],
  ],
  "one of several, or more of them": [
    z.xor([z.object({ a: name }), z.object({ b: name })]),
    z.union([z.object({ a: name }), z.object({ b: name })]),
    ["body"],
  ],
  "one of several, where one takes less": [
    z.xor([z.string().max(9), z.string().min(2)]),
    z.xor([z.string().max(9), z.string().min(5)]),
    ["body"],
  ],
  "keys that need not all be there": [
    z.record(z.enum(["a", "b"]), name),
    z.partialRecord(z.enum(["a", "b"]), name),
    ["body"],
  ],
  "a tuple's end that need not be there": [z.tuple([name, name]), z.tuple([name, name.optional()]), ["body"]],
  "a function indented otherwise": [
    z.string().refine(made("(text) => {\n  return text.length > 2;\n}")),
    z.string().refine(made("(text)  =>  {\n\n      return text.length  >  2;\n    }")),
    [],
  ],
  "a line that a comment takes in": [
    z
      .string()
      .refine(made("(text) => { // not for all\n if (text === 'admin') return false;\n return true; }")),
    z
      .string()
      .refine(made("(text) => { // not for all if (text === 'admin') return false;\n return true; }")),
    ["body"],
  ],
  "a statement that ended with its line": [
    z.string().refine(made("(text) => { return\n text; }")),
    z.string().refine(made("(text) => { return text; }")),
    ["body"],
  ],
  "blanks in a text": [
    z.string().refine(made("(text) => text !== 'a b'")),
    z.string().refine(made("(text) => text !== 'a  b'")),
    ["body"],
  ],
  "keys of a record": [z.record(z.enum(["a"]), name), z.record(z.enum(["a", "b"]), name), ["body"]],
  "values of a record": [z.record(z.string(), name), z.record(z.string(), z.string()), ["body"]],
  "more in a tuple": [z.tuple([name]), z.tuple([name], name), ["body"]],
  "half of an intersection": [
    z.intersection(z.object({ a: name }), z.object({ b: name })),
    z.intersection(z.object({ a: name }), z.object({})),
    ["body"],
  ],
  "text that is read as a number": [
    z.object({ n: z.number() }),
    z.object({ n: z.coerce.number() }),
    ["body/n"],
  ],
  "words that stand for true": [z.stringbool(), z.stringbool({ truthy: ["x"] }), ["body"]],
};

suite("A schema in another's place", () => {
  for (const [what, [before, after, expected]] of Object.entries(cases))
    test(`${what}: ${expected.length === 0 ? "permits no more" : "permits more"}`, () => {
      assert.deepEqual(widenings(before, after), expected);
    });
});

test("of an answer it does not count what must be there, but what may leave", () => {
  assert.deepEqual(widenings(z.object({ name }), z.object({ name: name.optional() }), "output"), []);
  assert.deepEqual(widenings(z.object({ name, hash: name }), z.object({ name }), "output"), []);
  assert.deepEqual(widenings(z.object({ name }), z.object({ name, hash: name }), "output"), ["body/hash"]);
});

test("a schema that holds itself is told once, and is the same to itself", () => {
  const Tree = z.object({
    name,
    get children() {
      return z.array(Tree).max(3);
    },
  });
  assert.deepEqual(widenings(Tree, Tree), []);
});

test("one whose parts share their parts over and over is refused, not written out", () => {
  let schema: z.ZodType = z.object({ name });
  for (let level = 0; level < 40; level++) schema = z.object({ left: schema, right: schema });
  assert.throws(() => schemaPermissions(schema, "body", "input"), { code: "CONTRACT_SCHEMA_UNSUPPORTED" });
});

test("a member's name can't pass for another's place", () => {
  assert.deepEqual(
    widenings(
      z.object({ a: z.object({ b: name }) }),
      z.object({ a: z.object({ b: name }), "a/b": z.string().optional() }),
    ),
    ["body/a~1b"],
  );
  assert.deepEqual(
    widenings(z.object({ a: z.array(z.string()) }), z.object({ a: z.object({ "[]": z.string() }) })),
    ["body/a", "body/a/~2]"],
  );
});

test("what a lock has that nobody can compare grants nothing", () => {
  const broken = { limits: ["often"] };
  assert.equal(isWithin({ limits: ["1/min per client"] }, broken), false);
  assert.equal(isWithin({ guards: {} }, { guards: { pace: "slowly" } }), false);
});

const { schema: anySchema } = fc.letrec<{ schema: z.ZodType }>((tie) => ({
  schema: fc.oneof(
    { depthSize: "small", maxDepth: 3 },
    fc.tuple(fc.nat(3), fc.nat(4)).map(([min, max]) => z.string().min(min).max(max)),
    fc
      .tuple(fc.nat(3), fc.nat(4), fc.boolean())
      .map(([min, max, isOpen]) => (isOpen ? z.number().gt(min).lt(max) : z.number().min(min).max(max))),
    fc.nat(4).map((max) => z.int().max(max)),
    fc
      .uniqueArray(fc.constantFrom("a", "ab", 1, true, null), { minLength: 1 })
      .map((list) => z.literal(list)),
    fc.constantFrom(z.string(), z.number(), z.boolean(), z.null(), z.string().regex(/^a/)),
    tie("schema").map((inner) => z.array(inner).max(2)),
    tie("schema").map((inner) => inner.nullable()),
    fc
      .dictionary(fc.constantFrom("a", "b"), fc.tuple(tie("schema"), fc.boolean()))
      .map((shape) =>
        z.strictObject(
          Object.fromEntries(
            Object.entries(shape).map(([key, [inner, isOpen]]) => [key, isOpen ? inner.optional() : inner]),
          ),
        ),
      ),
    fc.tuple(tie("schema"), tie("schema")).map((pair) => z.union(pair)),
  ),
}));

const { value: anyValue } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: "small", maxDepth: 3 },
    fc.constantFrom<unknown>("", "a", "ab", "b", "abcd", 0, 1, 1.5, 3, 4, true, false, null),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom("a", "b"), tie("value")),
  ),
}));

test("whatever schemas: one that permits no more accepts nothing that the other refuses", () => {
  let compared = 0;
  fc.assert(
    fc.property(
      anySchema,
      anySchema,
      fc.array(anyValue, { minLength: 20, maxLength: 20 }),
      (before, after, list) => {
        if (widenings(before, after).length > 0) return;
        compared += 1;
        for (const value of list)
          if (after.safeParse(value).success)
            assert.ok(before.safeParse(value).success, JSON.stringify(value));
      },
    ),
    { numRuns: 1500 },
  );
  assert.ok(compared > 40, `only ${compared} pairs were comparable`);
});

test("whatever schema: it permits no more than itself", () => {
  fc.assert(fc.property(anySchema, (schema) => assert.deepEqual(widenings(schema, schema), [])));
});

const read = { kind: "scope", scope: "read" };
const staff = { kind: "role", role: "staff" };
const own = { kind: "owner", param: "user" };
const accessCases: [one: object, other: object, isWithin: boolean][] = [
  [{ kind: "everyone" }, { kind: "signedIn" }, false],
  [{ kind: "signedIn" }, { kind: "everyone" }, true],
  [staff, { kind: "signedIn" }, true],
  [{ kind: "signedIn" }, staff, false],
  [staff, { kind: "role", role: "admin" }, false],
  [own, staff, false],
  [{ kind: "allOf", of: [staff, own] }, own, true],
  [own, { kind: "allOf", of: [staff, own] }, false],
  [own, { kind: "anyOf", of: [staff, own] }, true],
  [{ kind: "anyOf", of: [staff, own] }, own, false],
  [{ kind: "anyOf", of: [own, staff] }, { kind: "anyOf", of: [staff, own, read] }, true],
  [{ kind: "allOf", of: [own, staff, read] }, { kind: "allOf", of: [staff, own] }, true],
  [{ kind: "custom", name: "a" }, { kind: "signedIn" }, false],
];

suite("Who may call, in place of others", () => {
  for (const [one, other, expected] of accessCases)
    test(`${JSON.stringify(one)} for ${JSON.stringify(other)} permits ${expected ? "no " : ""}more`, () => {
      const access = (value: object) => ({ access: value as never });
      assert.equal(isWithin(access(one), access(other)), expected);
    });
});

const limitCases: [one: string[], other: string[], isWithin: boolean][] = [
  [["60/min per client"], ["120/min per client"], true],
  [["121/min per client"], ["120/min per client"], false],
  [["1/s per client"], ["120/min per client"], true],
  [["100/min per client, burst 130"], ["120/min per client"], false],
  [["60/min per user"], ["120/min per client"], false],
  [["60/min per user", "9/min per client"], ["120/min per client"], true],
  [["120/min per client"], ["120/min per client", "60/min per user"], false],
];

suite("How often, in place of other limits", () => {
  for (const [one, other, expected] of limitCases)
    test(`${one.join(" and ")} for ${other.join(" and ")} permits ${expected ? "no " : ""}more`, () => {
      assert.equal(isWithin({ limits: one }, { limits: other }), expected);
    });
});
