import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { z } from "zod";
import { defineStack, everyone, form, parseContract } from "../../contract/index.ts";
import type { ContractRoute, Form, Schema } from "../../contract/index.ts";
import { callOf } from "./call-of.ts";

const words = z.string().transform((text) => text.length);

function routeOf(body: Schema | Form): ContractRoute {
  const { routes } = parseContract(
    defineStack({
      origin: "https://www.bakery.test",
      functions: { count: {} },
      routes: {
        "POST /api/words": {
          access: everyone,
          limit: "9/min per client",
          headers: { "x-word": words },
          body,
          response: z.object({ ok: z.boolean() }),
          to: "fn:count",
        },
      },
    }),
  );
  return routes[0] ?? assert.fail();
}

const asForm = routeOf(form({ word: words, tag: z.array(z.string()) }));
const request = { id: "1", target: "/api/words", caller: undefined };

suite("A function's call", () => {
  test("has values as they were checked, and the cookies as they stand", () => {
    const call = callOf(
      {
        ...request,
        route: asForm,
        headers: ["x-word", "3", "cookie", "seen=yes", "if-match", '"7"'],
        headerValues: { "x-word": 3 },
        body: { word: 7, tag: ["a"] },
      },
      {},
    );
    assert.deepEqual(call.headers, { "x-word": 3, cookie: "seen=yes" });
    assert.deepEqual(call.body, { word: 7, tag: ["a"] });
  });

  test("has texts where a schema refused them and they pass all the same", () => {
    const call = callOf(
      { ...request, route: asForm, headers: ["x-word", "3"], body: "word=7&tag=a&tag=b" },
      {},
    );
    assert.deepEqual(call.headers, { "x-word": "3" });
    assert.deepEqual(call.body, { word: "7", tag: ["a", "b"] });
  });

  test("has a JSON text as a text", () => {
    const call = callOf({ ...request, route: routeOf(z.string()), body: "word=7" }, {});
    assert.equal(call.body, "word=7");
  });
});
