import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { z } from "zod";
import {
  accessParts,
  allOf,
  anyOf,
  everyone,
  owner,
  ownerField,
  role,
  scope,
  signedIn,
  tenant,
} from "../access.ts";
import type { Access } from "../access.ts";
import { describeAccess } from "../access/describe-access.ts";
import { defineStack } from "../define.ts";
import { none } from "../define/schema.ts";
import { upstream } from "../define/upstream.ts";
import { openApi } from "../openapi/openapi.ts";
import { parseContract } from "../parse.ts";

const identity = { issuer: "https://login.bakery.test/", audience: "https://www.bakery.test/api" };

function parse(
  options: object,
  others: object = {},
  key = "GET /api/a/:id",
): ReturnType<typeof parseContract> {
  const route = {
    limit: "9/min per client",
    params: { id: z.string() },
    response: z.object({ name: z.string() }),
    to: "shop",
    ...options,
  };
  const stack = {
    origin: "https://www.bakery.test",
    identity: { ...identity, tenantClaim: "org" },
    upstreams: { shop: upstream({ url: "https://shop.bakery.test" }) },
    routes: { [key]: route },
    ...others,
  };
  return parseContract(defineStack(stack as never));
}

const nested = (levels: number): Access => (levels === 0 ? role("a") : allOf(role("b"), nested(levels - 1)));

suite("conditions together", () => {
  test("are read, told in words, and taken apart", () => {
    const access = anyOf(role("staff"), allOf(scope("orders:read"), owner("id"), tenant("id")));
    const [route] = parse({ access }).routes;
    assert.deepEqual(route?.access, access);
    assert.equal(
      describeAccess(access),
      'subjects with the role "staff" or (callers with the scope "orders:read" and the subject that the path names as :id and callers of the tenant that the path names as :id)',
    );
    assert.deepEqual(
      accessParts(access).map(({ kind }) => kind),
      ["role", "scope", "owner", "tenant"],
    );
  });

  const cases: [string, unknown, RegExp][] = [
    ["of one", allOf(role("a")), /takes 2 to 10/],
    ["of none", anyOf(), /takes 2 to 10/],
    ["of eleven", anyOf(...Array.from({ length: 11 }, () => role("a"))), /takes 2 to 10/],
    ["without end", nested(9), /inside one another/],
    ["of something else", allOf(role("a"), "staff" as never), /access must be/],
    ["with a list that is none", { kind: "allOf", of: { length: 2 } }, /takes 2 to 10/],
    ["with everyone", anyOf(everyone, role("a")), /everyone, together/],
    ["with an empty scope", anyOf(scope(""), role("a")), /scope\(\) needs a name/],
    ["with two scopes in one", scope("a b"), /scope\(\) needs a name/],
    [
      "with a parameter that is not there",
      allOf(role("a"), tenant("org")),
      /tenant\("org"\) names no parameter/,
    ],
    ["with two owners in the answer", anyOf(ownerField("a"), ownerField("b")), /one field of the answer/],
    ["with a choice between path and answer", anyOf(owner("id"), ownerField("b")), /not both/],
    [
      "with such a choice inside",
      allOf(role("a"), anyOf(ownerField("b"), allOf(role("x"), tenant("id")))),
      /not both/,
    ],
  ];
  for (const [name, access, message] of cases)
    test(`${name} are refused`, () => assert.throws(() => parse({ access }), { message }));

  test("a tenant needs a claim that names it", () => {
    assert.throws(() => parse({ access: tenant("id") }, { identity }), /no claim names it/);
    assert.throws(() => parse({ access: tenant("id") }, { identity }), { hint: /tenantClaim: "org_id"/ });
  });

  test("ownership in the answer is too late for a write, inside others too", () => {
    const write = { access: allOf(role("a"), ownerField("x")), body: none };
    assert.throws(() => parse(write, {}, "POST /api/a/:id"), /by then a POST has happened/);
  });
});

suite("what is visible", () => {
  const visible = { field: "status", is: ["published"] };
  test("is read with its defaults", () => {
    const [route] = parse({ access: everyone, visible: { ...visible, in: "a.items" } }).routes;
    assert.deepEqual(route?.visible, {
      field: ["status"],
      is: new Set(["published"]),
      unless: undefined,
      in: ["a", "items"],
    });
  });

  const cases: [string, object, RegExp][] = [
    ["no field", { access: everyone, visible: { is: ["a"] } }, /field must name a field/],
    ["no value", { access: everyone, visible: { field: "a", is: [] } }, /is must list/],
    ["a pattern", { access: everyone, visible: { field: "a", is: [/a/] } }, /is must list/],
    [
      "an option that is none",
      { access: everyone, visible: { ...visible, except: role("a") } },
      /no option "except"/,
    ],
    [
      "an owner as the exception",
      { access: everyone, visible: { ...visible, unless: owner("id") } },
      /caller alone/,
    ],
    [
      "a hidden object told by errors",
      { access: everyone, visible, errors: { 404: z.object({}) } },
      /errors\.404/,
    ],
    [
      "an owner's field told by errors",
      { access: ownerField("x"), errors: { 410: z.object({}) } },
      /errors\.410/,
    ],
    ["hide told by errors", { access: signedIn, hide: true, errors: { 404: z.object({}) } }, /errors\.404/],
    ["hide from nobody", { access: everyone, hide: true }, /hide needs somebody/],
    ["no answer to read", { access: everyone, visible, response: none }, /there is none/],
  ];
  for (const [name, options, message] of cases)
    test(`${name} is refused`, () => assert.throws(() => parse(options), { message }));

  test("an exception needs to know who calls", () => {
    const options = { access: everyone, visible: { ...visible, unless: role("editor") } };
    assert.throws(() => parse(options, { identity: undefined }), /names no issuer/);
  });

  test("is told in the API's description, with optional tokens and scopes", () => {
    const described = (options: object): Record<string, unknown> =>
      (openApi(parse(options)).paths as Record<string, { get: Record<string, unknown> }>)["/api/a/{id}"]
        ?.get ?? {};
    const open = described({ access: everyone, visible: { ...visible, unless: role("editor") } });
    assert.deepEqual(open["security"], [{}, { accessToken: [] }]);
    assert.equal(
      open["x-curtainwall-visible"],
      'objects whose status is "published"; all of them for subjects with the role "editor"',
    );
    assert.deepEqual(described({ access: allOf(scope("a"), scope("b")) })["security"], [
      { accessToken: ["a", "b"] },
    ]);
    const hidden = described({ access: role("a"), hide: true })["responses"] as object;
    assert.ok("404" in hidden && !("403" in hidden));
  });
});
