import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { z } from "zod";
import { accessParts, allOf, anyOf, everyone, scope } from "../access.ts";
import { check } from "../access/check.ts";
import { describeAccess } from "../access/describe-access.ts";
import { keyAccess } from "../access/key-access.ts";
import { ownerLookup } from "../access/owner-lookup.ts";
import { defineStack } from "../define.ts";
import { none } from "../define/schema.ts";
import { upstream } from "../define/upstream.ts";
import { openApi } from "../openapi/openapi.ts";
import { parseContract } from "../parse.ts";

type Contract = ReturnType<typeof parseContract>;

function parse(routes: Record<string, object>): Contract {
  const base = { limit: "9/min per client", params: { id: z.string() }, response: none, to: "shop" };
  const all = Object.entries(routes).map(([key, options]) => [key, { ...base, ...options }]);
  const address = { url: "https://shop.bakery.test" };
  const stack = {
    origin: "https://www.bakery.test",
    identity: { issuer: "https://login.bakery.test/", audience: "https://www.bakery.test/api" },
    upstreams: { shop: upstream(address), desk: upstream(address) },
    routes: Object.fromEntries(all),
  };
  return parseContract(defineStack(stack as never));
}

const put = (options: object): Contract =>
  parse({ "PUT /api/orders/:id": { body: z.object({ a: z.string() }), ...options } });
const order = { get: "/orders/:id", field: "customer.id" };

suite("a look-up and a check", () => {
  test("are read, told in words and in the API's description", () => {
    const small = check("small-order", () => true, { body: true });
    const access = allOf(ownerLookup({ ...order, from: "desk" }), small);
    const contract = put({ access });
    assert.deepEqual(accessParts(contract.routes[0]?.access ?? everyone), [
      { kind: "ownerLookup", ...order, from: "desk" },
      { kind: "check", name: "small-order", test: small.test, body: true, timeoutMs: 250 },
    ]);
    assert.equal(
      describeAccess(access),
      'the subject that GET /orders/:id names as customer.id and callers who pass the check "small-order"',
    );
    const { paths } = openApi(contract) as { paths: Record<string, { put: Record<string, unknown> }> };
    assert.deepEqual(paths["/api/orders/{id}"]?.put["x-curtainwall-checks"], ["small-order"]);
  });

  test("are no way for an API key, unless a scope goes before", () => {
    const mine = check("mine", () => true);
    assert.equal(keyAccess(mine), undefined);
    assert.equal(keyAccess(anyOf(mine, ownerLookup(order))), undefined);
    assert.deepEqual(keyAccess(anyOf(mine, scope("a"))), scope("a"));
    assert.deepEqual(keyAccess(allOf(mine, scope("a"))), allOf(mine, scope("a")));
  });

  const lookup = (options: object): object => ({ access: ownerLookup({ ...order, ...options }) });
  const cases: [string, object, RegExp][] = [
    ["a path that is none", lookup({ get: "orders/:id" }), /get can't be "orders\/:id"/],
    ["a path that leaves", lookup({ get: "/orders/../:id" }), /"\.\." is not a path segment/],
    ["a path with a query", lookup({ get: "/orders/:id?a=b" }), /not a parameter's name/],
    ["another server", lookup({ get: "//evil.example/:id" }), /not a path segment/],
    ["a parameter of no path", lookup({ get: "/orders/:order" }), /names :order, which is no parameter/],
    [
      "an object that no path names",
      lookup({ get: "/orders/mine" }),
      /asks for the same object whatever the path/,
    ],
    ["a field that is none", lookup({ field: "customer..id" }), /field can't be/],
    ["no field", lookup({ field: undefined }), /field can't be nothing/],
    ["an upstream that is none", lookup({ from: "stock" }), /asks "stock", which is not among/],
    ["an option that is none", lookup({ fields: "a" }), /no option "fields"/],
    [
      "another upstream's ETag",
      lookup({ from: "desk", ifMatch: true }),
      /If-Match is the ETag of what "shop" has/,
    ],
    [
      "an ETag beside the client's",
      { ...lookup({ ifMatch: true }), headers: { "if-match": z.string() } },
      /the look-up's/,
    ],
    [
      "four look-ups",
      { access: anyOf(...["a", "b", "c", "d"].map((field) => ownerLookup({ get: "/orders/:id", field }))) },
      /at most 3 look-ups/,
    ],
    ["a check without a name", { access: check("", () => true) }, /needs a name/],
    ["a check with a line in its name", { access: check("a\nb", () => true) }, /needs a name/],
    ["a check without a function", { access: check("a", "true" as never) }, /needs a function/],
    ["a check whose function has no text", { access: check("a", Boolean) }, /without a text of its own/],
    ["a check that waits for ever", { access: check("a", () => true, { timeoutMs: Infinity }) }, /timeoutMs/],
    [
      "an option of a check that is none",
      { access: check("a", () => true, { timeout: 5 } as never) },
      /no option "timeout"/,
    ],
    [
      "a check of a body that is not there",
      { access: check("a", () => true, { body: true }), body: none },
      /there is none/,
    ],
  ];
  for (const [what, options, message] of cases)
    test(`${what} is refused`, () => assert.throws(() => put(options), { message }));

  test("an ETag for what only reads is refused", () => {
    assert.throws(
      () =>
        parse({
          "GET /api/orders/:id": { ...lookup({ ifMatch: true }), response: z.object({ a: z.string() }) },
        }),
      /not for GET/,
    );
  });

  test("two checks of one name that test different things are refused; one check used twice is not", () => {
    const key = "DELETE /api/orders/:id";
    const mine = check("mine", () => true);
    assert.throws(
      () =>
        parse({ [key]: { access: mine }, "DELETE /api/bills/:id": { access: check("mine", () => true) } }),
      {
        message: /Two checks are called "mine"/,
      },
    );
    parse({ [key]: { access: mine }, "DELETE /api/bills/:id": { access: allOf(scope("a"), mine) } });
  });
});
