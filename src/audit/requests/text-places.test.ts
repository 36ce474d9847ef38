import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { defineStack, everyone, form, parseContract, upstream } from "../../contract/index.ts";
import type { ContractRoute } from "../../contract/index.ts";
import { textPlaces } from "./text-places.ts";

const contract = parseContract(
  defineStack({
    origin: "https://www.test.example",
    upstreams: { shop: upstream({ url: "https://shop.test.example" }) },
    routes: {
      "POST /api/orders/:id/notes": {
        access: everyone,
        limit: "5/min per client",
        params: { id: z.string().max(8) },
        query: { tags: z.array(z.string()).optional() },
        headers: { "x-version": z.string().max(4) },
        body: z.object({
          items: z.array(z.object({ name: z.string().max(9), count: z.int() })),
          link: z.string().optional(),
        }),
        response: z.object({}),
        to: "shop",
      },
      "POST /api/letters": {
        access: everyone,
        limit: "5/min per client",
        body: form({ email: z.string().max(20), topics: z.array(z.string()) }),
        response: z.object({}),
        to: "shop",
      },
    },
  }),
);

const routeOf = (key: string): ContractRoute => {
  const route = contract.routes.find((one) => one.key === key);
  assert.ok(route !== undefined);
  return route;
};

test("a text can stand in each parameter, query key and header, and in each text of a body, those that are not there too", () => {
  const input = {
    params: { id: "a b" },
    headers: { "x-version": "1" },
    body: {
      items: [
        { name: "rye", count: 1 },
        { name: "bun", count: 2 },
      ],
    },
  };
  const places = textPlaces(routeOf("POST /api/orders/:id/notes"), input);
  assert.deepEqual(
    places.map(({ name, field, value }) => [name, field, value]),
    [
      ["parameter id", "id", "a b"],
      ["query tags", "tags", undefined],
      ["header x-version", "x-version", "1"],
      ["body /items/0/name", "name", "rye"],
      ["body /link", "link", undefined],
    ],
  );
  const put = places.map((place) => place.put("<x>"));
  assert.deepEqual(put, [
    { rawParams: { id: "%3Cx%3E" } },
    { rawQuery: "tags=%3Cx%3E" },
    { rawHeaders: [["x-version", "<x>"]] },
    { rawBody: '{"items":[{"name":"<x>","count":1},{"name":"bun","count":2}]}' },
    { rawBody: '{"items":[{"name":"rye","count":1},{"name":"bun","count":2}],"link":"<x>"}' },
  ]);
  assert.deepEqual(
    places.map(({ takes }) => takes("123456789")),
    [false, true, false, true, true],
  );
});

test("a form's fields are texts, its lists fields that may stand several times", () => {
  const input = { body: { email: "a@test.example", topics: ["bread", "cake"] } };
  const places = textPlaces(routeOf("POST /api/letters"), input);
  assert.deepEqual(
    places.map((place) => [place.name, place.value, place.put("x").rawBody]),
    [
      ["body email", "a@test.example", "email=x&topics=bread&topics=cake"],
      ["body topics", "bread", "email=a%40test.example&topics=x"],
    ],
  );
});
