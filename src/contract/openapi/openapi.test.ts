import assert from "node:assert/strict";
import { test } from "node:test";
import { Validator } from "@seriousme/openapi-schema-validator";
import fc from "fast-check";
import { z } from "zod";
import { everyone, owner, ownerField, role, signedIn } from "../access.ts";
import { describeAccess } from "../access/describe-access.ts";
import { defineStack } from "../define.ts";
import { fn } from "../define/function.ts";
import { none } from "../define/schema.ts";
import { webhookSecret } from "../define/secret.ts";
import { upstream } from "../define/upstream.ts";
import { stripe } from "../define/webhook.ts";
import type { Schema } from "../define/schema.ts";
import { openApi } from "./openapi.ts";
import { parseContract } from "../parse.ts";

interface Document {
  info: { title: string; version: string };
  servers: { url: string }[];
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Record<string, unknown>>; securitySchemes?: object };
}

interface Operation {
  operationId: string;
  summary?: string;
  parameters?: { name: string; in: string; required: boolean; schema: object }[];
  requestBody?: { content: { "application/json": { schema: Node } } };
  responses: Record<string, { content?: { "application/json": { schema: Node } } }>;
  security: object[];
}

interface Node {
  $ref?: string;
  [member: string]: unknown;
}

const base = { access: everyone, limit: "9/min per client", to: "shop" } as const;

/** The document of a contract with these routes, which an independent validator has accepted. */
async function describe(routes: Record<string, object>): Promise<Document> {
  const untyped: object = { routes };
  const stack = defineStack({
    origin: "https://www.bakery.example",
    identity: { issuer: "https://login.bakery.example/", audience: "https://api.bakery.example" },
    upstreams: { shop: upstream({ url: "https://shop.internal" }) },
    ...untyped,
  });
  const document = openApi(parseContract(stack));
  const result = await new Validator().validate(structuredClone(document));
  assert.deepEqual(result.errors ?? [], [], JSON.stringify(document));
  assert.equal(result.valid, true);
  return document as unknown as Document;
}

const bodyOf = (document: Document, path: string): Node =>
  document.paths[path]?.post?.requestBody?.content["application/json"].schema ?? {};
const answerOf = (document: Document, path: string, method = "get"): Node =>
  document.paths[path]?.[method]?.responses["200"]?.content?.["application/json"].schema ?? {};

/** What a reference points to: following it must end at a schema of the document. */
function follow(document: Document, node: Node): Record<string, unknown> {
  if (node.$ref === undefined) return node;
  const name = node.$ref.slice("#/components/schemas/".length);
  assert.equal(node.$ref, `#/components/schemas/${name}`);
  const target = document.components.schemas[name];
  assert.ok(target, `${node.$ref} leads nowhere`);
  return target;
}

/** Every reference in the document leads to a schema in it. */
function assertNoDeadReference(document: Document): void {
  JSON.stringify(document, (key, value: unknown) => {
    if (key === "$ref" && typeof value === "string") follow(document, { $ref: value });
    return value;
  });
}

test("the independent validator does refuse a bad document, so its consent means something", async () => {
  const result = await new Validator().validate({ openapi: "3.1.1", info: { title: "x" }, paths: {} });
  assert.equal(result.valid, false);
});

test("a stack without routes has a valid, empty description", async () => {
  assert.deepEqual((await describe({})).paths, {});
});

test("path and query parameters, body, answer, summary and errors are described", async () => {
  const document = await describe({
    "GET /api/products/:id": {
      ...base,
      summary: "One product",
      params: { id: z.string().max(40) },
      query: { currency: z.enum(["eur", "chf"]).optional(), on: z.iso.date() },
      response: z.object({ name: z.string(), priceCents: z.int() }),
    },
    "PUT /api/products/:id": {
      ...base,
      access: role("staff"),
      params: { id: z.string().max(40) },
      body: z.object({ name: z.string() }),
      response: none,
    },
  });
  assert.deepEqual(Object.keys(document.paths), ["/api/products/{id}"]);
  const { get, put } = document.paths["/api/products/{id}"] ?? {};
  assert.equal(get?.summary, "One product");
  assert.equal(get?.operationId, "GET-api-products-id");
  assert.deepEqual(
    get?.parameters?.map(({ name, in: place, required }) => [name, place, required]),
    [
      ["id", "path", true],
      ["currency", "query", false],
      ["on", "query", true],
    ],
  );
  assert.deepEqual(get?.security, []);
  assert.deepEqual(put?.security, [{ accessToken: [] }]);
  assert.deepEqual(Object.keys(put?.responses ?? {}).sort(), ["204", "400", "401", "403", "429", "default"]);
  assert.deepEqual(Object.keys(get?.responses ?? {}).sort(), ["200", "400", "429", "default"]);
  assert.equal(document.info.title, "www.bakery.example");
});

test("a request's objects are described as closed, an answer's as they are promised", async () => {
  const Item = z.object({ product: z.string(), options: z.object({ sliced: z.boolean() }) });
  const document = await describe({ "POST /api/orders": { ...base, body: Item, response: Item } });
  const options = (node: Node): Node => (node.properties as Record<string, Node> | undefined)?.options ?? {};
  const body = bodyOf(document, "/api/orders");
  const answer = answerOf(document, "/api/orders", "post");
  assert.equal(body.additionalProperties, false);
  assert.equal(options(body).additionalProperties, false);
  assert.equal(answer.additionalProperties, undefined);
  assert.equal(options(answer).additionalProperties, undefined);
});

test("a schema named by meta is one component, however often it is used the same way", async () => {
  const Address = z.object({ street: z.string() }).meta({ id: "ApiTestAddress", description: "Where" });
  const document = await describe({
    "GET /api/a": { ...base, response: z.object({ home: Address, work: Address.optional() }) },
    "GET /api/b": { ...base, response: z.array(Address) },
  });
  assert.deepEqual(Object.keys(document.components.schemas).sort(), ["ApiTestAddress", "Problem"]);
  assert.equal(document.components.schemas.ApiTestAddress?.description, "Where");
  assert.deepEqual(answerOf(document, "/api/b").items, { $ref: "#/components/schemas/ApiTestAddress" });
});

test("a named schema that is taken strictly and given openly is two components", async () => {
  const Order = z.object({ product: z.string() }).meta({ id: "ApiTestOrder" });
  const document = await describe({
    "POST /api/orders": { ...base, body: Order, response: Order },
    "POST /api/quotes": { ...base, body: Order, response: z.array(Order) },
  });
  assert.deepEqual(Object.keys(document.components.schemas).sort(), [
    "ApiTestOrder",
    "ApiTestOrder-2",
    "Problem",
  ]);
  const taken = bodyOf(document, "/api/orders");
  const given = answerOf(document, "/api/orders", "post");
  assert.notEqual(taken.$ref, given.$ref);
  assert.equal(follow(document, taken).additionalProperties, false);
  assert.equal(follow(document, given).additionalProperties, undefined);
  assert.deepEqual(bodyOf(document, "/api/quotes"), taken);
  assert.deepEqual(answerOf(document, "/api/quotes", "post").items, given);
});

test("a recursive schema at the root refers to itself, not to the whole document", async () => {
  const Comment = z.object({
    text: z.string(),
    get replies() {
      return z.array(Comment);
    },
  });
  const document = await describe({
    "POST /api/comments": { ...base, body: Comment, response: none },
    "GET /api/comments": { ...base, response: Comment },
  });
  assertNoDeadReference(document);
  for (const node of [bodyOf(document, "/api/comments"), answerOf(document, "/api/comments")]) {
    const { properties } = follow(document, node) as { properties: { replies: { items: Node } } };
    assert.equal(properties.replies.items.$ref, node.$ref);
  }
});

test("schemas that refer to one another, named and unnamed, keep their references apart", async () => {
  const Person = z
    .object({
      name: z.string(),
      get team() {
        return Team.optional();
      },
    })
    .meta({ id: "ApiTestPerson" });
  const Team: z.ZodType = z.object({ people: z.array(Person) });
  const Shelf = z.object({
    get shelves() {
      return z.array(Shelf);
    },
  });
  const document = await describe({
    "POST /api/people": { ...base, body: Person, response: z.object({ person: Person, shelf: Shelf }) },
    "GET /api/people": { ...base, response: z.array(Person) },
    "GET /api/shelves": { ...base, response: Shelf },
  });
  assertNoDeadReference(document);
});

test("two different schemas under one name, and a name that no component can have, are given names that work", async () => {
  const document = await describe({
    "GET /api/a": {
      ...base,
      response: z.object({
        one: z.object({ a: z.string() }).meta({ id: "ApiTest/Same name" }),
        two: z.object({ b: z.string() }).meta({ id: "ApiTest/Same name" }),
      }),
    },
    "GET /api/b": { ...base, response: z.object({ c: z.string() }).meta({ id: "Problem" }) },
    "GET /api/c": {
      ...base,
      query: {
        from: z.array(z.string()).meta({ id: "ApiTestList" }),
        to: z.array(z.string()).meta({ id: "ApiTestList" }),
      },
      response: none,
    },
  });
  assert.deepEqual(Object.keys(document.components.schemas).sort(), [
    "ApiTest-Same-name",
    "ApiTest-Same-name-2",
    "ApiTestList",
    "Problem",
    "Problem-2",
  ]);
  assertNoDeadReference(document);
});

test("objects that an intersection joins are described as the one object that they are, named or not", async () => {
  const Named = z.object({ a: z.number() }).meta({ id: "ApiTestJoined" });
  const joined = z.intersection(Named, z.object({ b: z.number() }));
  const document = await describe({
    "POST /api/joined": { ...base, body: joined, response: Named },
    "POST /api/either": {
      ...base,
      body: z.intersection(z.union([Named, z.object({ c: z.number() })]), z.object({ b: z.number() })),
      response: none,
    },
  });
  const closed = (...names: string[]): object => ({
    type: "object",
    properties: Object.fromEntries(names.map((name) => [name, { type: "number" }])),
    required: names,
    additionalProperties: false,
  });
  assert.deepEqual(bodyOf(document, "/api/joined"), closed("a", "b"));
  const sorted = (node: Node): unknown => ({ ...node, required: (node.required as string[]).sort() });
  assert.deepEqual((bodyOf(document, "/api/either").anyOf as Node[]).map(sorted), [
    sorted(closed("b", "a") as Node),
    sorted(closed("b", "c") as Node),
  ]);
  assert.deepEqual(answerOf(document, "/api/joined", "post"), { $ref: "#/components/schemas/ApiTestJoined" });
});

test("what is read from text is described as the text that travels", async () => {
  const document = await describe({
    "GET /api/days": {
      ...base,
      query: { day: z.coerce.date(), count: z.coerce.bigint(), page: z.coerce.number().int() },
      response: none,
    },
  });
  const schemas = document.paths["/api/days"]?.get?.parameters?.map((parameter) => parameter.schema) ?? [];
  assert.deepEqual(schemas[0], { type: "string", format: "date-time" });
  assert.deepEqual((schemas[1] as Node).type, "integer");
  assert.deepEqual((schemas[2] as Node).type, "integer");
});

const { json } = fc.letrec<{ json: Schema }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom<Schema>(
      z.string().min(1).max(9),
      z.email(),
      z.uuid(),
      z.url(),
      z.iso.datetime(),
      z.int().positive(),
      z.number().multipleOf(0.5).lt(9),
      z.boolean(),
      z.null(),
      z.literal(["a", 1, null]),
      z.enum(["x", "y"]),
      z.templateLiteral(["id-", z.int()]),
      z.strictObject({}),
    ),
    fc
      // No "$ref": the validator takes a property of that name for a reference.
      .dictionary(fc.constantFrom("a", "b", "$defs", "default", "x y"), tie("json"), { maxKeys: 3 })
      .map((fields): Schema => z.object(fields as z.ZodRawShape)),
    fc
      .tuple(tie("json"), fc.nat(7))
      .map(
        ([inner, choice]): Schema =>
          [
            z.array(inner as z.ZodType),
            z.optional(inner),
            z.nullable(inner),
            z.record(z.string(), inner),
            z.tuple([inner, z.string()], inner),
            z.union([inner, z.literal("or")]),
            z.lazy(() => inner),
            (inner as z.ZodType).describe("described"),
          ][choice] ?? inner,
      ),
    fc
      .tuple(tie("json"), fc.constantFrom("ApiTestFirst", "ApiTestSecond"))
      .map(([inner, id]): Schema => z.array(inner as z.ZodType).meta({ id })),
  ),
}));

test("whatever schemas a contract holds, its description is valid and no reference in it leads nowhere", async () => {
  await fc.assert(
    fc.asyncProperty(json, json, json, async (query, body, response) => {
      assertNoDeadReference(
        await describe({
          "POST /api/x/:id": { ...base, params: { id: z.uuid() }, query: { query }, body, response },
          "GET /api/x": { ...base, query: { first: query, second: body }, response: body },
        }),
      );
    }),
    { numRuns: 40 },
  );
});

test("each kind of access is described in words", () => {
  const words = [everyone, signedIn, role("staff"), owner("user"), ownerField("customerId")].map(
    describeAccess,
  );
  assert.deepEqual(words, [
    "everyone",
    "any signed-in subject",
    'subjects with the role "staff"',
    "the subject that the path names as :user",
    "the subject that the answer names as customerId",
  ]);
});

test("describes tokens with proofs of possession, and sessions, as ways to say who calls", async () => {
  const describeCallers = (options: object): Document =>
    openApi(
      parseContract(
        defineStack({
          origin: "https://www.bakery.example",
          upstreams: { shop: upstream({ url: "https://shop.internal" }) },
          routes: {
            "GET /api/me": {
              access: signedIn,
              limit: "60/min per client",
              response: z.object({ name: z.string() }),
              to: "shop",
            },
          },
          ...options,
        }),
      ),
    ) as unknown as Document;
  const security = (document: Document): unknown => document.paths["/api/me"]?.get?.security;
  const identity = { issuer: "https://login.bakery.example/", audience: "api" };
  const required = describeCallers({ identity: { ...identity, dpop: "required" } });
  assert.deepEqual(security(required), [{ boundToken: [] }]);
  const all = describeCallers({ identity: { ...identity, dpop: "accepted" }, sessions: {} });
  assert.deepEqual(security(all), [{ accessToken: [] }, { boundToken: [] }, { session: [] }]);
  const { securitySchemes } = all.components as { securitySchemes: Record<string, Record<string, unknown>> };
  assert.deepEqual(Object.keys(securitySchemes), ["accessToken", "boundToken", "session"]);
  assert.deepEqual(
    [securitySchemes.boundToken?.scheme, securitySchemes.session?.name],
    ["DPoP", "__Host-session"],
  );
  for (const document of [required, all])
    assert.ok((await new Validator().validate(structuredClone(document) as never)).valid);
});

test("a webhook's sender is asked for its signature, and which function answers nobody is told", () => {
  const document = openApi(
    parseContract(
      defineStack({
        origin: "https://www.bakery.example",
        functions: { till: {} },
        secrets: { PAYMENT_KEY: webhookSecret() },
        routes: {
          "POST /webhooks/payments": {
            access: everyone,
            limit: "60/min per client",
            body: z.object({ id: z.string() }),
            response: none,
            to: fn("till"),
            webhook: stripe("PAYMENT_KEY"),
          },
        },
      }),
    ),
  ) as { paths: Record<string, Record<string, { security: unknown }>>; components: Record<string, unknown> };
  assert.deepEqual(document.paths["/webhooks/payments"]?.["post"]?.security, [{ stripeWebhook: [] }]);
  assert.deepEqual(document.components["securitySchemes"], {
    stripeWebhook: {
      type: "apiKey",
      in: "header",
      name: "Stripe-Signature",
      description: "Signature of the body as made by Stripe",
    },
  });
  assert.doesNotMatch(JSON.stringify(document), /till|PAYMENT_KEY/);
});
