import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { z } from "zod";
import type { ContractSecret, ContractUse } from "../../contract/index.ts";
import { createPolicy } from "./policy.ts";
import { readTarget } from "./read-target.ts";
import type { Target } from "./read-target.ts";

const origin = "https://api.example";

const use = (method: ContractUse["method"], path: string, more: Partial<ContractUse> = {}): ContractUse => ({
  method,
  origin,
  path: path.split("/").slice(1),
  query: undefined,
  body: undefined,
  ...more,
});

const secretOf = (name: string, uses: readonly ContractUse[], by: readonly string[]): ContractSecret => ({
  name,
  purpose: "request",
  uses,
  by,
  inject: { kind: "bearer" },
  rotateEveryDays: undefined,
});

/** Which secret a request gets, or why none. */
function decide(secrets: readonly ContractSecret[], caller: string, request: string, body?: string): string {
  const policy = createPolicy({
    secrets: new Map(secrets.map((secret) => [secret.name, secret])),
    functions: new Map(),
  });
  const [method = "", path = ""] = request.split(" ");
  const found = policy.find(caller, method, readTarget(origin + path) as Target);
  if ("code" in found) return found.code;
  const bytes = body === undefined ? undefined : new TextEncoder().encode(body);
  const decided = policy.decide(found, bytes, "application/json");
  return "code" in decided ? decided.code : String(decided.grant.secret?.name);
}

test("a request that two secrets are declared for gets neither", () => {
  const secrets = [
    secretOf("ONE", [use("GET", "/v1/*")], ["fn:a"]),
    secretOf("TWO", [use("GET", "/v1/x")], ["fn:a", "fn:b"]),
  ];
  assert.equal(decide(secrets, "fn:a", "GET /v1/x"), "EGRESS_USE_AMBIGUOUS");
  assert.equal(decide(secrets, "fn:a", "GET /v1/y"), "ONE");
  assert.equal(decide(secrets, "fn:b", "GET /v1/x"), "TWO");
});

test("one secret with two uses for a request is none too many; the body decides between them", () => {
  const secrets = [
    secretOf("ONE", [use("POST", "/m", { body: z.strictObject({ a: z.number() }) })], ["fn:a"]),
    secretOf("TWO", [use("POST", "/m", { body: z.strictObject({ b: z.number() }) })], ["fn:a"]),
    secretOf("PUT", [use("PUT", "/m"), use("PUT", "/**")], ["fn:a"]),
  ];
  assert.equal(decide(secrets, "fn:a", "POST /m", '{"a":1}'), "ONE");
  assert.equal(decide(secrets, "fn:a", "POST /m", '{"b":1}'), "TWO");
  assert.equal(decide(secrets, "fn:a", "POST /m", '{"a":1,"b":1}'), "EGRESS_BODY_REFUSED");
  assert.equal(decide(secrets, "fn:a", "PUT /m"), "PUT");
});

test("a query that names another method is refused, unless the contract declares that key", () => {
  const secrets = [
    secretOf("ONE", [use("POST", "/m")], ["fn:a"]),
    secretOf("TWO", [use("POST", "/n", { query: z.strictObject({ _method: z.literal("PUT") }) })], ["fn:a"]),
  ];
  for (const query of [
    "_method=DELETE",
    "a=1&_Method=DELETE",
    "a=1;_method=DELETE",
    "%5Fmethod=DELETE",
    "x-http-method-override=PUT",
    "a=1&.method=DELETE",
    "+_method=DELETE",
    "_method%00=DELETE",
  ])
    assert.equal(decide(secrets, "fn:a", `POST /m?${query}`), "EGRESS_QUERY_REFUSED", query);
  assert.equal(decide(secrets, "fn:a", "POST /m?method=DELETE&a=_method"), "ONE");
  assert.equal(decide(secrets, "fn:a", "POST /n?_method=PUT"), "TWO");
  assert.equal(decide(secrets, "fn:a", "POST /n?_method=DELETE"), "EGRESS_QUERY_REFUSED");
});

test("a schema that throws, or waits for something, permits nothing", () => {
  const throwing = z.any().refine(() => {
    throw new Error("no");
  });
  const waiting = z.any().refine(async () => true);
  for (const body of [throwing, waiting])
    assert.equal(
      decide([secretOf("ONE", [use("POST", "/m", { body })], ["fn:a"])], "fn:a", "POST /m", "{}"),
      "EGRESS_BODY_REFUSED",
    );
});

test("a function's request never gets a secret that is not declared for it: the policy decides as a slow reading of the contract", () => {
  const methods = ["GET", "POST", "PUT"] as const;
  const segment = fc.constantFrom("a", "b", "*");
  const anyUse = fc
    .tuple(fc.constantFrom(...methods), fc.array(segment, { minLength: 1, maxLength: 3 }), fc.boolean())
    .map(([method, path, isOpen]) => use(method, `/${path.join("/")}${isOpen ? "/**" : ""}`));
  const callers = ["fn:a", "fn:b", "GET /api/x"];
  const anySecret = fc.tuple(fc.array(anyUse, { maxLength: 3 }), fc.subarray(callers));
  const request = fc.tuple(
    fc.constantFrom(...methods, "DELETE", "get"),
    fc.array(fc.constantFrom("a", "b", "c"), { minLength: 1, maxLength: 4 }),
  );
  const fits = (pattern: readonly string[], path: readonly string[]): boolean =>
    new RegExp(
      `^${pattern.map((part) => (part === "**" ? "(/.*)?" : part === "*" ? "/[^/]+" : `/${part}`)).join("")}$`,
    ).test(`/${path.join("/")}`);
  let granted = 0;
  fc.assert(
    fc.property(
      fc.array(anySecret, { maxLength: 4 }),
      fc.constantFrom(...callers, "fn:c"),
      request,
      (given, caller, [method, path]) => {
        const secrets = given.map(([uses, by], index) => secretOf(`S${index}`, uses, by));
        const expected = secrets.filter(
          ({ by, uses }) =>
            by.includes(caller) && uses.some((one) => one.method === method && fits(one.path, path)),
        );
        const decided = decide(secrets, caller, `${method} /${path.join("/")}`);
        if (expected.length === 1) granted++;
        assert.equal(
          decided,
          expected.length === 0
            ? "EGRESS_USE_UNDECLARED"
            : expected.length === 1
              ? expected[0]?.name
              : "EGRESS_USE_AMBIGUOUS",
        );
      },
    ),
    { numRuns: 1500 },
  );
  assert.ok(granted > 50, String(granted));
});
