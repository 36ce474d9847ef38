import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { defineStack, everyone, parseContract, upstream } from "../../contract/index.ts";
import type { ContractRoute } from "../../contract/index.ts";
import { mutate } from "./mutate.ts";
import type { MutantKind } from "./mutate.ts";

function route(): ContractRoute {
  const contract = parseContract(
    defineStack({
      origin: "https://localhost:1",
      upstreams: { shop: upstream({ url: "https://localhost:2" }) },
      routes: {
        "POST /api/:shop/orders": {
          access: everyone,
          limit: "5/min per client",
          params: { shop: z.string().regex(/^[a-z]{1,9}$/) },
          query: { dry: z.enum(["yes", "no"]).optional() },
          body: z.object({
            items: z
              .array(z.object({ product: z.string().min(1).max(20), count: z.int().min(1).max(9) }))
              .min(1)
              .max(5),
            note: z.string(),
            gift: z.object({ to: z.email(), card: z.int().min(1).max(3) }).optional(),
          }),
          maxBodyBytes: 2000,
          response: z.object({}),
          to: "shop",
        },
      },
    }),
  );
  const [first] = contract.routes;
  assert.ok(first !== undefined);
  return first;
}

const input = {
  params: { shop: "north" },
  query: { dry: "yes" },
  body: { items: [{ product: "rye", count: 2 }], note: "thanks" },
};
const names = (kind: MutantKind): string[] =>
  mutate(route(), input)
    .filter((mutant) => mutant.kind === kind)
    .map((mutant) => mutant.name);

test("a list grows no further than its body may: the schema looks at each element of each try", () => {
  let looks = 0;
  const looking = z.string().refine(() => (looks += 1) > 0);
  const mutants = mutate(
    { ...route(), body: z.object({ names: z.array(looking) }) },
    {
      params: { shop: "north" },
      body: { names: ["rye"] },
    },
  );
  assert.ok(mutants.some(({ rawBody }) => rawBody === '{"names":null}'));
  assert.ok(looks < 10_000, `${looks} looks`);
});

test("every field is given a wrong type, however deep", () => {
  assert.ok(names("type").includes("items[0].count is a text"));
  assert.ok(names("type").includes("items[0].product is a number"));
  assert.ok(names("type").includes("the body is null"));
});

test("bounds are broken only where the schema has them: a long note is none of its concern", () => {
  assert.ok(names("bounds").includes("items[0].count is negative"));
  assert.ok(names("bounds").includes("items is empty"));
  assert.ok(!names("bounds").some((name) => name.startsWith("note ")));
});

test("undeclared keys are put into every object, and into the query", () => {
  assert.ok(names("extra key").includes("the body has a key that is not declared"));
  assert.ok(names("extra key").includes("items[0] has a key that is not declared"));
  assert.ok(names("extra key").includes("a query key that is not declared"));
});

test("a key stands twice in the body's text and in the query's", () => {
  assert.ok(names("duplicate key").includes("items stands twice"));
  assert.ok(names("duplicate key").includes("query key dry twice"));
});

test("a key stands twice at every level, of what the sample leaves out too", () => {
  const mutants = mutate(route(), input);
  const bodyOf = (name: string): unknown => mutants.find((mutant) => mutant.name === name)?.rawBody;
  assert.equal(
    bodyOf("items[0].product stands twice"),
    '{"items":[{"product":"rye","product":"rye","count":2}],"note":"thanks"}',
  );
  assert.match(String(bodyOf("gift.to stands twice, once escaped")), /"gift":\{"\\u0074o":/);
  assert.ok(names("prototype key").includes("items[0] has a key __proto__"));
});

test("a field that the sample leaves out is given a wrong type, and what nearly fits, like the others", () => {
  for (const name of ["gift is an object", "gift.to is a number", "gift.card is a text"])
    assert.ok(names("type").includes(name), name);
  for (const name of ["gift.card is 0, one too small", "gift.card is 4, one too many"])
    assert.ok(names("bounds").includes(name), name);
  assert.ok(names("bounds").includes("gift.to is without the sign that makes it one"));
  assert.ok(names("missing key").includes("gift.card is missing"));
});

test("__proto__ is a key of the text: an object literal would lose it", () => {
  const mutant = mutate(route(), input).find(({ name }) => name === "a key __proto__");
  assert.match(String(mutant?.rawBody), /^\{"__proto__":/);
});

test("no mutant of a value is one that the contract accepts, and none of them is over the size that is tested apart", () => {
  const { body, maxBodyBytes } = route();
  assert.ok(body !== undefined);
  for (const { kind, name, rawBody } of mutate(route(), input)) {
    if (typeof rawBody !== "string" || !["type", "bounds", "missing key", "extra key"].includes(kind))
      continue;
    assert.equal(z.safeParse(body, JSON.parse(rawBody)).success, false, name);
    assert.ok(rawBody.length <= maxBodyBytes, name);
  }
});

test("the size mutant is good JSON, one byte too long", () => {
  const { maxBodyBytes } = route();
  const mutant = mutate(route(), input).find(({ kind }) => kind === "size");
  assert.equal(String(mutant?.rawBody).length, maxBodyBytes + 1);
  assert.deepEqual(JSON.parse(String(mutant?.rawBody)), input.body);
});
