import assert from "node:assert/strict";
import { test } from "node:test";
import type { ContractRoute } from "../../contract/index.ts";
import { exchangeScene } from "../fixtures/exchange-scene.ts";
import { bodyTextOf } from "../requests/input-values.ts";
import { mutate } from "./mutate.ts";
import type { Mutant, MutantKind } from "./mutate.ts";
import type { AuditInput } from "../plan/plan.ts";

const { routes } = exchangeScene.describe("https://localhost:1");
const routeOf = (key: string): ContractRoute => {
  const route = routes.find((candidate) => candidate.key === key);
  assert.ok(route !== undefined);
  return route;
};

const letters = routeOf("POST /api/letters");
const letter: AuditInput = {
  query: { lang: ["en"], source: "page" },
  headers: { "X-Version": "2" },
  cookies: { theme: "dark" },
  body: { email: "a@b.c", topics: ["bread", "cake"], age: 30 },
};
const mutants = mutate(letters, letter);
const names = (kind: MutantKind): string[] =>
  mutants.filter((one) => one.kind === kind).map(({ name }) => name);
const find = (name: string, among: readonly Mutant[] = mutants): Mutant => {
  const mutant = among.find((candidate) => candidate.name === name);
  assert.ok(mutant !== undefined, `there is no "${name}"`);
  return mutant;
};

test("a form is sent as browsers send it, its lists as fields that stand several times", () => {
  assert.equal(bodyTextOf(letters, letter), "email=a%40b.c&topics=bread&topics=cake&age=30");
});

test("a form's fields are changed, left out, repeated and added to; a list may stand several times", () => {
  assert.ok(names("bounds").includes("age is a number far out of range"));
  assert.ok(names("missing key").includes("email is missing"));
  assert.equal(
    find("age stands twice, once escaped").rawBody,
    "email=a%40b.c&topics=bread&topics=cake&age=30&%61ge=30",
  );
  assert.ok(!names("duplicate key").some((name) => name.startsWith("topics")));
  assert.ok(names("bounds").includes("topics is there 40 times"));
  assert.ok(names("prototype key").includes("a field __proto__"));
});

test("a form's writing is broken in the ways that decoders differ on, and JSON in its place must be 415", () => {
  for (const name of [
    "invalid UTF-8, escaped",
    "an overlong encoding of /",
    "half of a surrogate pair",
    "a NUL, escaped",
  ])
    assert.ok(names("malformed").includes(name), name);
  assert.equal(find("JSON, sent as JSON").status, 415);
  assert.equal(find("one byte more than maxBodyBytes").rawBody?.length, letters.maxBodyBytes + 1);
});

test("a header is changed, left out and repeated, but not where its schema takes what several lines are", () => {
  assert.deepEqual(find("header x-version twice").rawHeaders, [
    ["x-version", "2"],
    ["x-version", "2"],
  ]);
  assert.deepEqual(find("header x-version is missing").rawHeaders, []);
  assert.ok(names("malformed").includes("header x-version is not ASCII"));
});

test("a cookie is changed, repeated, and shadowed by another of its name", () => {
  assert.equal(find("cookie theme shadowed by another").rawCookie, "theme=planted; theme=dark");
  assert.equal(find("cookie theme twice").rawCookie, "theme=dark; theme=dark");
  assert.ok(names("missing key").includes("cookie theme is missing"));
});

test("a list in the query may be too long, but may stand twice; another key may not", () => {
  assert.ok(names("bounds").includes("query lang is 40 values"));
  assert.ok(names("duplicate key").includes("query key source twice"));
  assert.ok(!names("duplicate key").includes("query key lang twice"));
});

test("jsonLimits are exceeded by one each, in a body that the schema may like", () => {
  const notes = mutate(routeOf("PUT /api/notes"), { body: { text: "Hello" } });
  assert.equal(
    find("a text of 301 characters, one more than jsonLimits.textLength", notes).rawBody,
    JSON.stringify({ text: "a".repeat(301) }),
  );
  assert.deepEqual(JSON.parse(String(find("5 levels, one more than jsonLimits.depth", notes).rawBody)), {
    undeclared: [[[[]]]],
    text: "Hello",
  });
  assert.equal(
    Object.keys(
      JSON.parse(String(find("41 members, one more than jsonLimits.members", notes).rawBody)) as object,
    ).length,
    41,
  );
  const { undeclared } = JSON.parse(
    String(find("21 elements, one more than jsonLimits.elements", notes).rawBody),
  ) as { undeclared: unknown[] };
  assert.equal(undeclared.length, 21);
});

test("bounds that maxBodyBytes is below of are not tried: that one comes first", () => {
  const session = mutate(routeOf("POST /api/session"), { body: { code: "GOOD" } });
  const { maxBodyBytes, jsonLimits } = routeOf("POST /api/session");
  assert.ok(maxBodyBytes > 0 && jsonLimits.depth === 32);
  for (const { kind, rawBody } of session)
    if (kind === "counts") assert.ok((rawBody?.length ?? 0) <= maxBodyBytes);
});
