import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import {
  defineStack,
  everyone,
  form,
  none,
  openApi,
  owner,
  parseContract,
  signedIn,
  upstream,
} from "../../contract/index.ts";
import { contractOf, decided, describing, imported } from "../fixtures/import.ts";

const answering = (schema: object, more: object = {}): object => ({
  responses: { 200: { description: "", content: { "application/json": { schema } } } },
  ...more,
});
const jsonBody = (schema: object): object => ({
  required: true,
  content: { "application/json": { schema } },
});
/** The lines of a route's option. */
const textOf = (schema: object, more: object = {}): string =>
  imported(describing({ "/api/x": { get: answering(schema) } }, more)).text;
const inputOf = (schema: object): string =>
  imported(
    describing({
      "/api/x": { post: answering({ type: "object", properties: {} }, { requestBody: jsonBody(schema) }) },
    }),
  ).text;

test("a contract that is exported and imported again describes the same API", () => {
  const Item = z.object({
    product: z
      .string()
      .regex(/^[a-z0-9-]{1,40}$/)
      .max(40),
    quantity: z.int().min(1).max(50),
  });
  const Order = z
    .object({
      id: z.uuid(),
      at: z.iso.datetime({ offset: true }),
      status: z.enum(["placed", "ready"]),
      items: z.array(Item).max(20),
      note: z.string().max(80).nullable().optional(),
    })
    .meta({ id: "Order" });
  const original = parseContract(
    defineStack({
      origin: "https://www.bakery.example",
      identity: { issuer: "https://login.example/", audience: "api" },
      upstreams: { shop: upstream({ url: "https://shop.internal" }) },
      routes: {
        "GET /api/orders/:id": {
          access: signedIn,
          limit: "60/min per user",
          params: { id: z.uuid() },
          headers: { "x-version": z.enum(["1", "2"]) },
          cookies: { theme: z.string().max(8).optional() },
          response: Order,
          to: "shop",
        },
        "GET /api/users/:user/orders": {
          access: owner("user"),
          limit: "60/min per user",
          params: { user: z.uuid() },
          query: {
            status: z.enum(["placed", "ready"]).optional(),
            tag: z.array(z.string().max(9)).max(3).optional(),
          },
          response: z.array(Order).max(100),
          to: "shop",
        },
        "POST /api/orders": {
          access: signedIn,
          limit: "60/min per user",
          body: z.object({ items: z.array(Item).min(1).max(20), reference: z.uuid().optional() }),
          response: Order,
          errors: { 409: z.object({ code: z.string() }) },
          to: "shop",
        },
        "POST /api/contact": {
          access: everyone,
          limit: "5/min per client",
          body: form({ email: z.email().max(254) }),
          response: none,
          to: "shop",
        },
        "DELETE /api/orders/:id": {
          access: signedIn,
          limit: "5/min per user",
          params: { id: z.uuid() },
          response: none,
          to: "shop",
        },
      },
    }),
  );
  const document = openApi(original) as unknown as Described;
  const again = openApi(
    contractOf(decided(imported(JSON.parse(JSON.stringify(document))).text)),
  ) as unknown as Described;
  assert.deepEqual(Object.keys(again.paths), Object.keys(document.paths));
  for (const [path, item] of Object.entries(document.paths)) {
    assert.deepEqual(Object.keys(again.paths[path] ?? {}), Object.keys(item), path);
    for (const [method, operation] of Object.entries(item)) {
      const copy = again.paths[path]?.[method];
      const whole = <Part>(part: Part, { components }: Described): unknown =>
        JSON.parse(JSON.stringify(part ?? null), (_, value: unknown) => {
          const ref = (value as { $ref?: string } | null)?.$ref;
          return ref === undefined ? value : components.schemas[ref.slice("#/components/schemas/".length)];
        });
      assert.deepEqual(copy?.parameters, operation.parameters, `${method} ${path}`);
      assert.deepEqual(copy?.requestBody, operation.requestBody, `${method} ${path}`);
      for (const status of ["200", "204", "409"])
        assert.deepEqual(
          whole(copy?.responses[status], again),
          whole(operation.responses[status], document),
          `${method} ${path} ${status}`,
        );
    }
  }
});

interface Described {
  paths: Record<
    string,
    Record<string, { parameters?: unknown; requestBody?: unknown; responses: Record<string, unknown> }>
  >;
  components: { schemas: Record<string, unknown> };
}

test("what asks for nothing is open to nobody, until somebody decides", () => {
  const schema = { type: "object", properties: { ok: { type: "boolean" } } };
  const { text, undecided } = imported(
    describing({
      "/api/a": { get: answering(schema) },
      "/api/b": { get: answering(schema, { security: [] }) },
      "/api/c": { get: answering(schema, { security: [{}] }) },
    }),
  );
  assert.deepEqual(undecided, ["GET /api/a", "GET /api/b", "GET /api/c"]);
  assert.doesNotMatch(text, /everyone/);
  assert.throws(() => contractOf(text), {
    code: "CONTRACT_ROUTE_INCOMPLETE",
    message: /3 problems[\s\S]*nobody has decided who may call it/,
  });
  assert.equal(contractOf(decided(text)).routes.length, 3);
});

test("credentials become conditions, and what the gateway does not take opens nothing", () => {
  const schemes = {
    token: { type: "http", scheme: "bearer" },
    oauth: { type: "oauth2", flows: {} },
    key: { type: "apiKey", in: "header", name: "X-Key" },
    basic: { type: "http", scheme: "basic" },
    cookie: { type: "apiKey", in: "cookie", name: "sid" },
  };
  const access = (security: readonly object[], root?: readonly object[]): string => {
    const paths = {
      "/api/x": {
        get: answering({ type: "object", properties: {} }, root === undefined ? { security } : {}),
      },
    };
    const { text } = imported(
      describing(paths, {
        components: { securitySchemes: schemes },
        ...(root === undefined ? {} : { security: root }),
      }),
    );
    return /access: (.*),$/m.exec(text)?.[1] ?? "";
  };
  assert.equal(access([{ token: [] }]), "signedIn");
  assert.equal(access([], [{ token: [] }]), "signedIn");
  assert.equal(access([{ oauth: ["read", "write"] }]), 'allOf(scope("read"), scope("write"))');
  assert.equal(access([{ token: [] }, { key: [] }]), 'anyOf(signedIn, scope("key"))');
  assert.equal(access([{ token: [], key: [] }]), 'allOf(signedIn, scope("key"))');
  assert.equal(access([{ basic: [] }]), "undecided");
  assert.equal(access([{ cookie: [] }]), "undecided");
  assert.equal(access([{ token: [], basic: [] }]), "undecided");
  assert.equal(access([{ token: [] }, { basic: [] }]), "signedIn");
  assert.equal(access([{ nobody: [] }]), "undecided");
});

test("schemas keep what they say: types, bounds, choices, null", () => {
  const shape = textOf({
    type: "object",
    required: ["id", "kind"],
    properties: {
      id: { type: "integer", minimum: 1, exclusiveMaximum: 9 },
      price: { type: "number", minimum: 0, exclusiveMinimum: true, nullable: true },
      kind: { enum: ["a", "b", null] },
      either: { oneOf: [{ type: "string", format: "date" }, { type: "null" }] },
      many: { type: ["string", "integer", "null"] },
      pet: {
        allOf: [
          { type: "object", properties: { a: { type: "string" } }, required: ["a"] },
          { properties: { b: { const: 1 } } },
        ],
      },
      map: { type: "object", additionalProperties: { type: "integer", format: "int32" } },
      "odd-name": { type: "boolean" },
    },
  });
  for (const line of [
    "id: z.int().min(1).lt(9),",
    "price: z.number().gt(0).nullable().optional(),",
    'kind: z.enum(["a", "b"]).nullable(),',
    "either: z.iso.date().nullable().optional(),",
    "many: z.union([z.string(), z.int()]).nullable().optional(),",
    "pet: z.object({ a: z.string(), b: z.literal(1).optional() }).optional(),",
    "map: z.record(z.string().max(200), z.int32()).optional(),",
    '"odd-name": z.boolean().optional(),',
  ])
    assert.ok(shape.includes(line), `${line}\n${shape}`);
});

test("what comes in is bounded, and what nobody described does not pass", () => {
  const text = inputOf({
    type: "object",
    properties: {
      note: { type: "string" },
      tags: { type: "array", items: { type: "string", maxLength: 9 } },
      any: {},
      id: { type: "integer", readOnly: true },
    },
  });
  assert.match(text, /note: z\.string\(\)\.max\(maxText\)\.optional\(\)/);
  assert.match(text, /tags: z\.array\(z\.string\(\)\.max\(9\)\)\.max\(maxItems\)/);
  assert.match(text, /\/\/ TODO the description does not say what it is\n\s+any: Plain\.optional\(\)/);
  assert.doesNotMatch(text, /id:/);
  const answer = textOf({
    type: "object",
    properties: {
      any: {},
      note: { type: "string" },
      passwordHash: { type: "string" },
      pin: { type: "string", writeOnly: true },
    },
  });
  assert.match(answer, /\/\/ TODO any is left out: the description does not say what it is/);
  assert.match(answer, /\/\/ passwordHash is left out: its name says that it must not leave/);
  assert.match(answer, /z\.object\(\{ note: z\.string\(\)\.optional\(\) \}\)/);
});

test("a schema that requests and answers share is there once where it says the same of both, else twice", () => {
  const components = {
    schemas: {
      Size: { type: "string", enum: ["s", "l"] },
      Cake: {
        type: "object",
        properties: { id: { type: "integer", readOnly: true }, size: { $ref: "#/components/schemas/Size" } },
      },
    },
  };
  const ref = { $ref: "#/components/schemas/Cake" };
  const { text } = imported(
    describing({ "/api/x": { post: answering(ref, { requestBody: jsonBody(ref) }) } }, { components }),
  );
  assert.match(text, /body: CakeInput,\n\s+response: Cake,/);
  assert.equal(text.split("const Size = ").length, 2);
  assert.match(text, /const CakeInput = z\.object\(\{ size: Size\.optional\(\) \}\)/);
});

test("a pattern that may take long is left out, and said", () => {
  for (const pattern of [
    "(a+)+$",
    "^(a|aa)*$",
    "(.*a){20}",
    "(\\w+\\s?)*$",
    "(x{1,30}){1,30}",
    "^(.)\\1$",
    "a*a*a*a*a*b",
  ]) {
    const text = textOf({ type: "object", properties: { a: { type: "string", pattern } } });
    assert.match(text, /its pattern is left out: it may take much longer than its text is long/, pattern);
  }
  for (const [pattern, code] of [
    ["^[a-z0-9-]{1,40}$", "/^[a-z0-9-]{1,40}$/u"],
    ["^(\\d{1,3}\\.){3}\\d{1,3}$", "/^(\\d{1,3}\\.){3}\\d{1,3}$/u"],
    ["a/b", "/a\\/b/u"],
  ] as const)
    assert.ok(
      textOf({ type: "object", properties: { a: { type: "string", pattern } } }).includes(`.regex(${code})`),
      pattern,
    );
});

test("parameters keep their place, and the ways of writing lists that there are none of are said", () => {
  const parameter = (name: string, place: string, schema: object, more: object = {}): object => ({
    name,
    in: place,
    schema,
    ...more,
  });
  const { text, leftOut } = imported(
    describing({
      "/api/{pet-id}/x": {
        parameters: [parameter("pet-id", "path", { type: "integer" }, { required: true })],
        get: answering(
          { type: "object", properties: {} },
          {
            parameters: [
              parameter("page", "query", { type: "integer", minimum: 1 }),
              parameter("all", "query", { type: "boolean" }, { required: true }),
              parameter("tag", "query", { type: "array", items: { type: "string", maxLength: 5 } }),
              parameter("ids", "query", { type: "array", items: { type: "integer" } }, { explode: false }),
              parameter(
                "filter",
                "query",
                { type: "object", properties: { size: { type: "string", enum: ["s"] } } },
                { style: "deepObject" },
              ),
              parameter("X-Version", "header", { type: "string", maxLength: 3 }),
              parameter("Authorization", "header", { type: "string" }),
              parameter("X-Forwarded-For", "header", { type: "string" }),
              parameter("theme", "cookie", { type: "string", maxLength: 3 }),
            ],
          },
        ),
      },
      "/api/{a}.json": { get: answering({}) },
      "/api/x/": { get: answering({}) },
      "/{all}": { get: answering({}) },
    }),
  );
  for (const line of [
    '"GET /api/:pet_id/x": {',
    "params: { pet_id: z.coerce.number().int() },",
    "page: z.coerce.number().int().min(1).optional(),",
    'all: z.enum(["true", "false"]),',
    "tag: z.array(z.string().max(5)).max(maxItems).optional(),",
    "// a list in one text (form) is not taken apart",
    '"filter[size]": z.literal("s").optional(),',
    'headers: { "x-version": z.string().max(3).optional() },',
    "// header parameter X-Forwarded-For is left out: it is not the client's to say, or means something between two hops",
    "cookies: { theme: z.string().max(3).optional() },",
  ])
    assert.ok(
      text.includes(line) || (line.includes("list in one") && text.includes("// a list in one text")),
      `${line}\n${text}`,
    );
  assert.doesNotMatch(text, /authorization/i);
  assert.deepEqual(
    leftOut.map(({ operation }) => operation),
    ["GET /api/{a}.json", "GET /api/x/", "GET /{all}"],
  );
  assert.equal(contractOf(decided(text)).routes.length, 1);
});

test("bodies and answers that are no JSON are carried over as far as there is something like them", () => {
  const content = (
    type: string,
    schema: object = { type: "object", properties: { a: { type: "string", maxLength: 5 } }, required: ["a"] },
  ): object => ({ content: { [type]: { schema } } });
  const { text, leftOut } = imported(
    describing({
      "/api/form": {
        post: {
          requestBody: { required: true, ...content("application/x-www-form-urlencoded") },
          responses: { 204: { description: "" } },
        },
      },
      "/api/file": {
        get: { responses: { 200: content("application/pdf", { type: "string", format: "binary" }) } },
      },
      "/api/upload": { post: { requestBody: content("multipart/form-data"), responses: { 204: {} } } },
      "/api/events": { get: { responses: { 200: content("text/event-stream", { type: "string" }) } } },
      "/api/maybe": {
        get: {
          responses: {
            200: content("application/json"),
            204: { description: "" },
            404: content("application/json"),
            401: content("application/json"),
          },
        },
      },
    }),
  );
  assert.match(text, /body: form\(\{ a: z\.string\(\)\.max\(5\) \}\),\n\s+response: none,/);
  assert.match(text, /response: download\(\{ types: \["application\/pdf"\], maxBytes: 10_000_000 \}\)/);
  assert.match(
    text,
    /response: z\.object\(\{ a: z\.string\(\)\.max\(5\) \}\)\.optional\(\),\n\s+errors: \{ 404: /,
  );
  assert.doesNotMatch(text, /401/);
  assert.deepEqual(leftOut, [
    { operation: "POST /api/upload", why: "it takes multipart/form-data" },
    { operation: "GET /api/events", why: "it answers with events; write its response as eventStream({ … })" },
  ]);
  assert.equal(contractOf(decided(text)).routes.length, 3);
});

test("Swagger 2 is read as what it became", () => {
  const { text } = imported({
    swagger: "2.0",
    host: "shop.internal",
    basePath: "/v1",
    schemes: ["http", "https"],
    consumes: ["application/json"],
    produces: ["application/json"],
    securityDefinitions: { key: { type: "apiKey", in: "header", name: "X-API-Key" } },
    paths: {
      "/pets/{id}": {
        get: {
          security: [{ key: [] }],
          parameters: [
            { name: "id", in: "path", required: true, type: "integer" },
            {
              name: "tag",
              in: "query",
              type: "array",
              items: { type: "string", maxLength: 4 },
              collectionFormat: "multi",
            },
          ],
          responses: { 200: { description: "", schema: { $ref: "#/definitions/Pet" } } },
        },
        post: {
          parameters: [
            { name: "id", in: "path", required: true, type: "integer" },
            { name: "pet", in: "body", required: true, schema: { $ref: "#/definitions/Pet" } },
          ],
          responses: { 201: { description: "", schema: { $ref: "#/definitions/Pet" } } },
        },
      },
    },
    definitions: {
      Pet: { type: "object", required: ["name"], properties: { name: { type: "string", maxLength: 9 } } },
    },
  });
  assert.match(text, /url: "https:\/\/shop\.internal"/);
  assert.match(text, /apiKeys: \{ file: "api-keys\.json", header: "x-api-key" \}/);
  assert.match(text, /"GET \/v1\/pets\/:id": \{\n\s+access: scope\("key"\)/);
  assert.match(text, /tag: z\.array\(z\.string\(\)\.max\(4\)\)\.max\(maxItems\)\.optional\(\)/);
  assert.match(text, /body: Pet,\n\s+response: Pet,/);
  assert.equal(contractOf(decided(text)).routes.length, 2);
});

test("http is carried over for this machine alone; elsewhere somebody has to say why", () => {
  const paths = { "/x": { get: answering({ type: "object", properties: {} }) } };
  const at = (url: string): string => decided(imported(describing(paths, { servers: [{ url }] })).text);
  assert.equal(contractOf(at("http://127.0.0.1:3000/api")).routes[0]?.path, "/api/x");
  assert.throws(() => contractOf(at("http://shop.internal")), { code: "CONTRACT_HTTP_REFUSED" });
  assert.throws(() => contractOf(at("/api")), { code: "CONTRACT_OPTION_INVALID" });
});
