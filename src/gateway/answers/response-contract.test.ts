import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { z } from "zod";
import { closeObjects } from "../../contract/index.ts";
import type { Schema } from "../../contract/index.ts";
import { createResponseContract } from "./response-contract.ts";
import type { ResponseContract } from "./response-contract.ts";

const hold = (schema: Schema): ResponseContract => createResponseContract(closeObjects(schema, "strip"));
const Product = z.object({
  id: z.string(),
  price: z.number(),
  maker: z.object({ name: z.string() }).optional(),
  tags: z.array(z.object({ text: z.string() })).optional(),
});

test("an answer as declared is kept as it is", () => {
  const answer = { id: "a", price: 1, maker: { name: "Ann" }, tags: [{ text: "x" }] };
  assert.deepEqual(hold(Product)(answer), { kind: "kept", value: answer, isWhole: true, dropped: [] });
});

test("whatever is added to a declared answer, wherever, is dropped and named, and nothing else is", () => {
  const extra = fc.dictionary(
    fc.stringMatching(/^[a-z]{1,8}$/).map((name) => `x_${name}`),
    fc.jsonValue(),
    { maxKeys: 4, noNullPrototype: true },
  );
  fc.assert(
    fc.property(extra, extra, extra, (top, inMaker, inTag) => {
      const declared = { id: "a", price: 1, maker: { name: "Ann" }, tags: [{ text: "x" }, { text: "y" }] };
      const answer = {
        ...declared,
        ...top,
        maker: { ...declared.maker, ...inMaker },
        tags: [declared.tags[0], { ...declared.tags[1], ...inTag }],
      };
      const verdict = hold(Product)(answer);
      assert.equal(verdict.kind, "kept");
      if (verdict.kind !== "kept") return;
      assert.deepEqual(verdict.value, declared);
      const expected = [
        ...Object.keys(top).map((name) => `/${name}`),
        ...Object.keys(inMaker).map((name) => `/maker/${name}`),
        ...Object.keys(inTag).map((name) => `/tags/*/${name}`),
      ];
      assert.deepEqual(new Set(verdict.dropped), new Set(expected));
    }),
  );
});

test("a wrong type, a missing field, another shape are refused, and the field is named", () => {
  const cases: [unknown, string[]][] = [
    [{ id: "a" }, ["/price"]],
    [{ id: 1, price: "1" }, ["/id", "/price"]],
    [{ id: "a", price: 1, tags: [{ text: "x" }, { text: 1 }] }, ["/tags/1/text"]],
    [{ id: "a", price: Number.NaN }, ["/price"]],
    [null, [""]],
    [undefined, [""]],
    [[], [""]],
    ["a", [""]],
  ];
  for (const [answer, fields] of cases) assert.deepEqual(hold(Product)(answer), { kind: "refused", fields });
});

test("a prototype's fields, and __proto__ itself, are no declared fields", () => {
  assert.equal(hold(Product)(JSON.parse('{"__proto__":{"id":"a","price":1}}')).kind, "refused");
  const verdict = hold(Product)(JSON.parse('{"id":"a","price":1,"__proto__":{"x":1}}'));
  assert.deepEqual(verdict, {
    kind: "kept",
    value: { id: "a", price: 1 },
    isWhole: false,
    dropped: ["/__proto__"],
  });
});

test("names that only a sender could have chosen are not repeated, and at most twenty are named", () => {
  const Ages = z.record(z.string(), z.object({ age: z.number() }));
  const verdict = hold(Ages)({ "alice@home.test": { age: 1, secret: 2 } });
  assert.deepEqual(verdict.kind === "kept" && verdict.dropped, ["/*/secret"]);
  assert.deepEqual(hold(Ages)({ "alice@home.test": { age: "1" } }), { kind: "refused", fields: ["/*/age"] });
  const many = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`x${index}`, 1]));
  const flood = hold(Product)({ id: "a", price: 1, ...many });
  assert.equal(flood.kind === "kept" && flood.dropped.length, 20);
});

test("of a union the declared member is kept, a stranger refused", () => {
  const Shape = z.discriminatedUnion("kind", [
    z.object({ kind: z.literal("circle"), r: z.number() }),
    z.object({ kind: z.literal("square"), side: z.number() }),
  ]);
  assert.deepEqual(hold(Shape)({ kind: "square", side: 1, r: 2 }), {
    kind: "kept",
    isWhole: false,
    value: { kind: "square", side: 1 },
    dropped: ["/r"],
  });
  assert.equal(hold(Shape)({ kind: "triangle" }).kind, "refused");
});

test("a check that throws, or waits, and an answer as deep as a well, are refusals", () => {
  const throws = z.object({
    id: z.string().refine(() => {
      throw new Error("canary");
    }),
  });
  assert.deepEqual(hold(throws)({ id: "a" }), { kind: "refused", fields: [] });
  assert.equal(hold(z.object({ id: z.string().refine(async () => true) }))({ id: "a" }).kind, "refused");
  interface Tree {
    children?: Tree[] | undefined;
  }
  const Tree: z.ZodType<Tree> = z.object({ children: z.lazy(() => z.array(Tree)).optional() });
  let deep: Tree = {};
  for (let level = 0; level < 100_000; level++) deep = { children: [deep] };
  assert.equal(hold(Tree)(deep).kind, "refused");
});
