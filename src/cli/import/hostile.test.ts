import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "@babel/parser";
import fc from "fast-check";
import { describing, imported } from "../fixtures/import.ts";

// Whatever a description says, the file that is made of it is a contract and nothing else.

const sharp = [
  "\n",
  "\r",
  "\u2028",
  "\u2029",
  "\u202e",
  "\\",
  '"',
  "'",
  "`",
  "${",
  "}",
  "*/",
  "//",
  "/*",
  "(",
  ")",
  ";",
  "process.exit()",
  "__proto__",
  "constructor",
  "/",
  "[",
  "]",
  "é",
  "\ud800",
  "😀",
  "<!--",
  "-->",
  "\0",
];
const hostile = fc.oneof(
  fc
    .array(fc.oneof(fc.constantFrom(...sharp), fc.string({ maxLength: 4, unit: "binary" })), { maxLength: 8 })
    .map((parts) => parts.join("")),
  fc.constantFrom(
    '"+process.exit()+"',
    "`${process.exit()}`",
    "\\",
    "*/process.exit()/*",
    "\u2028process.exit()//",
    "</script>",
    "\\u0022);process.exit();(",
  ),
);
const named = <Value>(value: fc.Arbitrary<Value>): fc.Arbitrary<Record<string, Value>> =>
  fc.array(fc.tuple(hostile, value), { maxLength: 3 }).map((entries) => Object.fromEntries(entries));

const { schema } = fc.letrec<{ schema: unknown }>((tie) => ({
  schema: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.record(
      {
        type: fc.oneof(fc.constantFrom("string", "integer", "number", "boolean", "null"), hostile),
        format: fc.oneof(hostile, fc.constantFrom("email", "uuid")),
        pattern: hostile,
        minLength: fc.oneof(fc.integer(), hostile),
        maximum: fc.double(),
        multipleOf: fc.double(),
        title: hostile,
        nullable: fc.boolean(),
      },
      { requiredKeys: [] },
    ),
    fc.record({
      enum: fc.array(fc.oneof(hostile, fc.double(), fc.boolean(), fc.constant(null)), { maxLength: 3 }),
    }),
    fc.record({ const: fc.oneof(hostile, fc.double()) }),
    fc.record({
      $ref: fc.oneof(
        hostile,
        hostile.map((name) => `#/components/schemas/${name}`),
        fc.constant("#/components/schemas/Self"),
        fc.constant("#"),
      ),
    }),
    fc.record(
      {
        type: fc.constant("object"),
        properties: named(tie("schema")),
        required: fc.array(hostile, { maxLength: 2 }),
        additionalProperties: fc.oneof(fc.boolean(), tie("schema")),
        discriminator: hostile,
      },
      { requiredKeys: ["type", "properties"] },
    ),
    fc.record({
      type: fc.constant("array"),
      items: tie("schema"),
      maxItems: fc.oneof(fc.integer(), hostile),
    }),
    fc.record({ allOf: fc.array(tie("schema"), { maxLength: 3 }) }),
    fc.record(
      { oneOf: fc.array(tie("schema"), { maxLength: 3 }), properties: named(tie("schema")) },
      { requiredKeys: ["oneOf"] },
    ),
    hostile,
    fc.constant(true),
  ),
}));
const content = fc.oneof(
  named(fc.record({ schema })),
  fc.record(
    { "application/json": fc.record({ schema }), "application/x-www-form-urlencoded": fc.record({ schema }) },
    { requiredKeys: [] },
  ),
);
const parameter = fc.record(
  {
    name: hostile,
    in: fc.oneof(fc.constantFrom("path", "query", "header", "cookie"), hostile),
    required: fc.boolean(),
    style: hostile,
    schema,
  },
  { requiredKeys: ["name", "in"] },
);
const operation = fc.record(
  {
    summary: hostile,
    description: hostile,
    parameters: fc.array(parameter, { maxLength: 3 }),
    requestBody: fc.record({ content }),
    responses: fc.oneof(
      named(fc.record({ content, headers: named(fc.record({ schema })) })),
      fc.record({ 200: fc.record({ content }), 404: fc.record({ content }) }),
    ),
    security: fc.array(named(fc.array(hostile, { maxLength: 2 })), { maxLength: 2 }),
  },
  { requiredKeys: [] },
);
const path = fc.oneof(
  hostile.map((text) => `/${text}`),
  hostile.map((text) => `/api/{${text}}`),
  fc.constantFrom("/api", "/api/{id}"),
);
const document = fc.record({
  openapi: fc.constant("3.0.3"),
  servers: fc.array(
    fc.record({
      url: fc.oneof(
        hostile,
        hostile.map((text) => `https://a.example/${text}`),
      ),
      variables: named(fc.record({ default: hostile })),
    }),
    { maxLength: 2 },
  ),
  paths: fc
    .array(
      fc.tuple(
        path,
        fc.record(
          { get: operation, post: operation, parameters: fc.array(parameter, { maxLength: 1 }) },
          { requiredKeys: [] },
        ),
      ),
      { minLength: 1, maxLength: 3 },
    )
    .map((entries) => Object.fromEntries(entries)),
  components: fc.record({
    schemas: named(schema).map((others) => ({
      ...others,
      Self: { type: "object", properties: { self: { $ref: "#/components/schemas/Self" } } },
    })),
    securitySchemes: named(
      fc.record(
        {
          type: fc.oneof(fc.constantFrom("http", "apiKey", "oauth2", "openIdConnect"), hostile),
          scheme: fc.oneof(fc.constant("bearer"), hostile),
          in: fc.constantFrom("header", "query"),
          name: hostile,
          openIdConnectUrl: hostile.map((text) => `https://${text}/.well-known/openid-configuration`),
        },
        { requiredKeys: ["type"] },
      ),
    ),
  }),
});

/** All that a file is made of. */
const kinds = new Set([
  "File",
  "Program",
  "ImportDeclaration",
  "ImportSpecifier",
  "VariableDeclaration",
  "VariableDeclarator",
  "Identifier",
  "StringLiteral",
  "NumericLiteral",
  "BooleanLiteral",
  "NullLiteral",
  "RegExpLiteral",
  "ObjectExpression",
  "ObjectProperty",
  "ArrayExpression",
  "CallExpression",
  "MemberExpression",
  "ArrowFunctionExpression",
  "ExportDefaultDeclaration",
  "UnaryExpression",
  "TSTypeAnnotation",
  "TSTypeReference",
  "TSQualifiedName",
]);
const ours = new Set([
  "z",
  "defineStack",
  "upstream",
  "undecided",
  "signedIn",
  "scope",
  "allOf",
  "anyOf",
  "none",
  "form",
  "download",
  "maxText",
  "maxItems",
  "Plain",
]);

interface Node {
  readonly type: string;
  readonly [name: string]: unknown;
}
const isNode = (value: unknown): value is Node =>
  typeof value === "object" && value !== null && "type" in value && typeof value.type === "string";

/** Checks each node, and that what is named was declared here or is ours. */
function assertHarmless(text: string): void {
  const file = parse(text, { sourceType: "module", plugins: ["typescript"] });
  const declared = new Set(ours);
  for (const statement of file.program.body)
    if (statement.type === "VariableDeclaration")
      for (const { id } of statement.declarations) if (id.type === "Identifier") declared.add(id.name);
  const visit = (node: unknown, parent: Node | undefined, place: string): void => {
    if (Array.isArray(node)) for (const entry of node) visit(entry, parent, place);
    if (!isNode(node) || place.endsWith("omments")) return;
    assert.ok(kinds.has(node.type), `${node.type} in ${text}`);
    if (node.type === "ImportDeclaration") {
      assert.match(String((node["source"] as Node)["value"]), /^(curtainwall|zod)$/);
      return;
    }
    if (
      node.type === "Identifier" &&
      place !== "property" &&
      !(place === "key" && parent?.type === "ObjectProperty")
    )
      assert.ok(declared.has(String(node["name"])), `${String(node["name"])} in ${text}`);
    if (node.type === "TSQualifiedName") return assert.equal((node["right"] as Node)["name"], "ZodType");
    if (node.type === "MemberExpression") assert.equal(node["computed"], false);
    if (node.type === "ObjectProperty") {
      assert.ok(node["computed"] === false && node["shorthand"] === false);
      const { name, value } = node["key"] as Node;
      assert.ok(name !== "__proto__" && value !== "__proto__");
    }
    if (node.type === "UnaryExpression") assert.equal(node["operator"], "-");
    for (const [name, member] of Object.entries(node)) if (name !== "loc") visit(member, node, name);
  };
  visit(file, undefined, "");
  // What could be seen otherwise than it is read stands nowhere, comments neither.
  assert.doesNotMatch(
    text,
    /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/,
  );
}

/** With one operation that is surely there. */
const described = ({ paths, ...rest }: { paths: object }): object => ({
  ...rest,
  paths: { ...paths, "/sure": { get: {} } },
});

test("whatever texts a description has, the file has nothing but what we write", () => {
  fc.assert(
    fc.property(document, (given) =>
      assertHarmless(imported(described(given), { from: "a\n*/process.exit()//\u2028" }).text),
    ),
    { numRuns: 400 },
  );
});

test("the check of it would find what it looks for", () => {
  for (const text of [
    'import x from "node:fs";',
    "process.exit();",
    "export default defineStack({ a: process.env });",
    'export default defineStack({ ["a"]: 1 });',
    'export default defineStack({ "__proto__": 1 });',
    "const a = `x`;",
  ])
    assert.throws(() => assertHarmless(text), text);
});

test("references that lead in circles, nowhere, or out of the document are told, and not followed", () => {
  const answer = (schema: object): object => ({
    responses: { 200: { description: "", content: { "application/json": { schema } } } },
  });
  const document = describing(
    {
      "/api/loop": { get: answer({ $ref: "#/components/schemas/A" }) },
      "/api/file": {
        get: answer({ type: "object", properties: { id: { type: "integer" }, x: { $ref: "/etc/passwd" } } }),
      },
      "/api/url": { get: answer({ $ref: "http://169.254.169.254/latest#/x" }) },
      "/api/gone": {
        get: answer({ type: "object", properties: { x: { $ref: "#/components/schemas/None" } } }),
      },
      "/api/tree": { get: answer({ $ref: "#/components/schemas/Tree" }) },
      "/api/item": { $ref: "#/paths/~1api~1item" },
    },
    {
      components: {
        schemas: {
          A: { $ref: "#/components/schemas/B" },
          B: { $ref: "#/components/schemas/A" },
          Tree: {
            type: "object",
            properties: {
              name: { type: "string" },
              below: { type: "array", items: { $ref: "#/components/schemas/Tree" } },
            },
          },
        },
      },
    },
  );
  const { text, routes } = imported(document);
  assert.equal(routes, 5);
  assertHarmless(text);
  assert.match(text, /TODO x is left out: \/etc\/passwd leads out of the document/);
  assert.match(text, /TODO http:\/\/169\.254\.169\.254\/latest#\/x leads out of the document/);
  assert.match(text, /TODO x is left out: #\/components\/schemas\/None leads nowhere/);
  assert.match(text, /const Tree: z\.ZodType = z\.object\(\{/);
  assert.match(text, /below: z\.array\(z\.lazy\(\(\) => Tree\)\)\.optional\(\)/);
});

test("a description that repeats its parts over and over is refused, soon", () => {
  const schemas: Record<string, object> = { S0: { type: "object", properties: { a: { type: "string" } } } };
  for (let level = 1; level < 40; level++)
    schemas[`S${level}`] = {
      type: "object",
      properties: Object.fromEntries(
        ["a", "b", "c"].map((name) => [
          name,
          { allOf: [{ $ref: `#/components/schemas/S${level - 1}` }, { minProperties: 1 }] },
        ]),
      ),
    };
  const responses = {
    200: { content: { "application/json": { schema: { $ref: "#/components/schemas/S39" } } } },
  };
  assert.throws(
    () =>
      imported(describing({ "/api/x": { get: { responses } } }, { components: { schemas } }), {
        maxParts: 30_000,
      }),
    /more than 30000 parts/,
  );
});

test("schemas that lead on from one to the next without end are read as far as there is room", () => {
  const next = (index: number): object => ({ $ref: `#/components/schemas/A${index + 1}` });
  const chains: ((index: number) => object)[] = [
    (index) => ({ type: "object", properties: { next: next(index), n: { type: "integer" } } }),
    (index) => ({
      oneOf: [
        {
          type: "array",
          items: { allOf: [{ properties: { x: { oneOf: [next(index), { type: "string" }] } } }] },
        },
        { type: "string" },
      ],
    }),
  ];
  for (const link of chains) {
    const schemas = Object.fromEntries(
      Array.from({ length: 5000 }, (_, index) => [`A${index}`, link(index)]),
    );
    const content = { "application/json": { schema: { $ref: "#/components/schemas/A0" } } };
    const route = { requestBody: { content }, responses: { 200: { description: "", content } } };
    const { text } = imported(describing({ "/api/x": { post: route } }, { components: { schemas } }));
    assert.match(text, /it is nested too deeply/);
  }
});

test("ten thousand schemas whose names come to the same have names of their own, and soon", () => {
  const names = Array.from(
    { length: 10_000 },
    (_, index) => `b${"!".repeat(1 + (index % 100))}${"?".repeat(index / 100)}`,
  );
  const schemas = Object.fromEntries(
    names.map((name) => [name, { type: "object", properties: { a: { type: "string" } } }]),
  );
  const properties = Object.fromEntries(
    names.map((name, index) => [`p${index}`, { $ref: `#/components/schemas/${encodeURIComponent(name)}` }]),
  );
  const content = { "application/json": { schema: { type: "object", properties } } };
  const before = process.cpuUsage().user;
  const { text } = imported(
    describing(
      { "/api/x": { get: { responses: { 200: { description: "", content } } } } },
      { components: { schemas } },
    ),
  );
  const declared = [...text.matchAll(/^const (B\w*) = /gm)].map(([, name]) => name);
  assert.equal(new Set(declared).size, 10_000);
  assert.equal(declared.length, 10_000);
  assert.ok(process.cpuUsage().user - before < 10_000_000);
});
