import assert from "node:assert/strict";
import { test } from "node:test";
import { Validator } from "@seriousme/openapi-schema-validator";
import { z } from "zod";
import { everyone } from "../access.ts";
import { defineStack } from "../define.ts";
import { none } from "../define/schema.ts";
import { upstream } from "../define/upstream.ts";
import { download, eventStream, form } from "../define/exchange.ts";
import { openApi } from "./openapi.ts";
import { parseContract } from "../parse.ts";
import { contractDigest } from "../release/contract-digest.ts";

const base = { access: everyone, limit: "9/min per client", to: "shop" } as const;
const text = z.string().max(9);

const contractOf = (routes: object) =>
  parseContract(
    defineStack({
      origin: "https://www.bakery.example",
      upstreams: { shop: upstream({ url: "https://shop.internal" }) },
      ...({ routes } as object),
    }),
  );

async function operations(routes: object): Promise<Record<string, Record<string, Record<string, unknown>>>> {
  const document = openApi(contractOf(routes));
  const { valid, errors } = await new Validator().validate(structuredClone(document));
  assert.ok(valid, JSON.stringify(errors));
  return document.paths as never;
}

test("headers, cookies, lists, forms, refusals and answers in parts stand in the API's description", async () => {
  const paths = await operations({
    "GET /api/prices": {
      ...base,
      query: { tag: z.array(text).optional() },
      headers: { "x-version": z.enum(["1", "2"]) },
      cookies: { theme: text.optional() },
      response: eventStream({ price: z.object({ rye: z.number() }) }),
    },
    "POST /api/contact": {
      ...base,
      body: form({ name: text }),
      response: none,
      responseHeaders: { location: text },
      errors: { 409: z.object({ reason: text }) },
    },
    "GET /api/invoice": { ...base, response: download({ types: ["application/pdf"], maxBytes: 99 }) },
    "GET /api/shop": { ...base, response: z.object({ open: z.boolean() }), etag: true },
  });
  const prices = paths["/api/prices"]?.get as {
    parameters: { name: string; in: string; required: boolean }[];
    responses: never;
  };
  assert.deepEqual(
    prices.parameters.map((parameter) => [parameter.in, parameter.name, parameter.required]),
    [
      ["query", "tag", false],
      ["header", "x-version", true],
      ["cookie", "theme", false],
    ],
  );
  assert.match(JSON.stringify(prices.responses), /"text\/event-stream":.*"x-curtainwall-events":\{"price":/);
  const contact = JSON.stringify(paths["/api/contact"]?.post);
  assert.match(contact, /"application\/x-www-form-urlencoded":/);
  assert.match(contact, /"204":\{"description":"Done","headers":\{"location":/);
  assert.match(contact, /"409":.*"reason"/);
  assert.match(JSON.stringify(paths["/api/invoice"]), /"application\/pdf":\{"schema":\{[^}]*"maxLength":99/);
  assert.match(JSON.stringify(paths["/api/shop"]), /"304":/);
});

test("a contract that takes or answers more has another digest", async () => {
  const digest = (options: object): Promise<string> =>
    contractDigest(contractOf({ "GET /api/x": { ...base, response: z.object({ a: text }), ...options } }));
  const plain = await digest({});
  const others = [
    { headers: { "x-a": text } },
    { cookies: { a: text } },
    { responseHeaders: { "x-a": text } },
    { errors: { 409: z.object({ a: text }) } },
    { etag: true },
    { response: eventStream({ a: text }) },
    { response: download({ types: ["text/plain"], maxBytes: 1 }) },
  ];
  const digests = await Promise.all(others.map(digest));
  assert.equal(new Set([plain, ...digests]).size, others.length + 1);
});

test("what a route may not say of its exchange is told before it starts", () => {
  const wrong: [string, object][] = [
    ["GET /api/x", { response: eventStream({}) }],
    ["GET /api/x", { response: eventStream({ "a b": text }) }],
    ["GET /api/x", { response: eventStream({ a: z.unknown() }) }],
    ["POST /api/x", { body: none, response: eventStream({ a: text }) }],
    ["GET /api/x", { response: download({ types: [], maxBytes: 1 }) }],
    ["GET /api/x", { response: download({ types: ["application/*"], maxBytes: 1 }) }],
    ["GET /api/x", { response: download({ types: ["a/b"], maxBytes: 0 }) }],
    ["GET /api/x", { response: download({ types: ["a/b"], maxBytes: 1, fileName: 'a"; filename="b' }) }],
    ["GET /api/x", { response: { kind: "download", types: ["a/b"] } }],
    ["GET /api/x", { body: form({ a: text }) }],
    ["POST /api/x", { body: form({ a: z.any() }) }],
    ["GET /api/x", { cookies: { "a b": text } }],
    ["GET /api/x", { jsonLimits: { depth: 0 } }],
    ["GET /api/x", { jsonLimits: { levels: 3 } }],
    ["GET /api/x", { etag: "yes" }],
  ];
  for (const [key, options] of wrong)
    assert.throws(
      () => contractOf({ [key]: { ...base, response: none, ...options } }),
      { code: /^CONTRACT_(OPTION_INVALID|OPTION_UNKNOWN|SCHEMA_OPEN|ROUTE_INCOMPLETE)$/ },
      JSON.stringify(options),
    );
});
