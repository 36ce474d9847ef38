import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { z } from "zod";
import { allOf, anyOf, owner, ownerField, role, scope, signedIn, tenant } from "../../contract/index.ts";
import type { Access } from "../../contract/index.ts";
import { openKnownCallers } from "../fixtures/known-callers.ts";
import { ok } from "../fixtures/bakery.ts";
import { compileStanding } from "./standing.ts";

const response = z.object({ ok: z.boolean() });
const text = z.string().max(60);
type Claims = Record<string, unknown>;

/** Statuses that callers get on one route. */
async function statuses(
  path: string,
  options: object,
  calls: readonly (readonly [string, Claims])[],
): Promise<number[]> {
  const { get } = openKnownCallers({ [`GET ${path}`]: { response, ...options } });
  const found: number[] = [];
  for (const [target, claims] of calls) found.push((await get(target, claims)).status);
  return found;
}

suite("scopes", () => {
  test("a token's scope opens; another, a longer, a part of one, or none does not", async () => {
    const calls = ["orders:read", "x orders:read y", "orders:write", "orders:readall", "orders", ""].map(
      (given) => ["/api/a", { scope: given }] as const,
    );
    assert.deepEqual(
      await statuses("/api/a", { access: scope("orders:read") }, [...calls, ["/api/a", {}]]),
      [200, 200, 403, 403, 403, 403, 403],
    );
  });

  test("a role of that name is no scope, and a scope no role", async () => {
    assert.deepEqual(
      await statuses("/api/a", { access: scope("staff") }, [["/api/a", { roles: ["staff"] }]]),
      [403],
    );
    assert.deepEqual(
      await statuses("/api/a", { access: role("staff") }, [["/api/a", { scope: "staff" }]]),
      [403],
    );
  });

  test("a role opens by its whole name: not one that begins like it, or that it begins like", async () => {
    const calls = [["staff"], ["staff-trainee"], ["sta"], ["Staff"], ["guest", "staff"]].map(
      (roles) => ["/api/a", { roles }] as const,
    );
    assert.deepEqual(await statuses("/api/a", { access: role("staff") }, calls), [200, 403, 403, 403, 200]);
  });

  test("names that every object has are nobody's role or scope", async () => {
    for (const name of ["constructor", "__proto__", "toString", "length", "0"]) {
      assert.deepEqual(await statuses("/api/a", { access: role(name) }, [["/api/a", { roles: [] }]]), [403]);
      assert.deepEqual(
        await statuses("/api/a", { access: scope(name) }, [["/api/a", { scope: "a" }]]),
        [403],
      );
    }
  });
});

suite("tenants", () => {
  const route = { access: tenant("org"), params: { org: text } };
  test("callers of the tenant that the path names pass; of another, of none, or who bear its name do not", async () => {
    const calls = [
      ["/api/orgs/acme/a", { org: "acme" }],
      ["/api/orgs/acme/a", { org: "evil" }],
      ["/api/orgs/acme/a", {}],
      ["/api/orgs/acme/a", { sub: "acme" }],
      ["/api/orgs/undefined/a", {}],
      ["/api/orgs/null/a", {}],
      ["/api/orgs/ACME/a", { org: "acme" }],
    ] as const;
    assert.deepEqual(await statuses("/api/orgs/:org/a", route, calls), [200, 403, 403, 403, 403, 403, 403]);
  });

  test("what a schema makes of the name must be the caller's too", async () => {
    const lowered = { access: tenant("org"), params: { org: text.toLowerCase() } };
    assert.deepEqual(
      await statuses("/api/orgs/:org/a", lowered, [
        ["/api/orgs/ACME/a", { org: "ACME" }],
        ["/api/orgs/acme/a", { org: "acme" }],
      ]),
      [403, 200],
    );
  });
});

suite("owners whose names only look alike", () => {
  const route = { access: owner("user"), params: { user: text } };
  const cases: [string, string, string, number][] = [
    ["one encoded in the path, for the same name", "al%69ce", "alice", 200],
    ["a subject that is written as encoded", "al%69ce", "al%69ce", 403],
    ["composed and decomposed letters", "caf%C3%A9", "cafe\u0301", 403],
    ["the same composed letters", "caf%C3%A9", "caf\u00e9", 200],
    ["another case", "Alice", "alice", 403],
    ["a letter of another script", "%D0%B0lice", "alice", 403],
    ["a letter of no width", "alice%E2%80%8B", "alice", 403],
    ["a blank at the end", "alice%20", "alice", 403],
    ["a number in another form", "07", "7", 403],
    ["a number in scientific form", "7e0", "7", 403],
    ["two names in one", "alice,bob", "alice", 403],
    ["a pattern", "*", "alice", 403],
    ["a name that objects inherit", "constructor", "alice", 403],
  ];
  for (const [name, param, sub, status] of cases)
    test(`${name}: ${status}`, async () =>
      assert.deepEqual(await statuses("/api/users/:user", route, [[`/api/users/${param}`, { sub }]]), [
        status,
      ]));
});

suite("conditions together", () => {
  test("allOf needs every one, anyOf one", async () => {
    const both = { access: allOf(scope("a"), role("r")) };
    const either = { access: anyOf(scope("a"), role("r")) };
    const calls = [
      ["/api/a", { scope: "a", roles: ["r"] }],
      ["/api/a", { scope: "a" }],
      ["/api/a", { roles: ["r"] }],
      ["/api/a", {}],
    ] as const;
    assert.deepEqual(await statuses("/api/a", both, calls), [200, 403, 403, 403]);
    assert.deepEqual(await statuses("/api/a", either, calls), [200, 200, 200, 403]);
  });

  test("staff reads any order, everybody else one's own", async () => {
    const shop = openKnownCallers({
      "GET /api/orders/:id": {
        access: anyOf(role("staff"), ownerField("customer")),
        params: { id: text },
        response: z.object({ total: z.number() }),
      },
    });
    shop.answer = ok({ total: 7, customer: "alice" });
    const status = async (claims: Claims): Promise<number> =>
      (await shop.get("/api/orders/1", claims)).status;
    assert.equal(await status({ sub: "alice" }), 200);
    assert.equal(await status({ sub: "bob" }), 404);
    assert.equal(await status({ sub: "bob", roles: ["staff"] }), 200);
    shop.answer = ok({ total: 7 });
    assert.equal(await status({ sub: "alice" }), 404, "an order that names nobody is nobody's");
  });

  test("a scope does not replace ownership that stands beside it", async () => {
    const shop = openKnownCallers({
      "GET /api/orders/:id": {
        access: allOf(scope("orders:read"), ownerField("customer")),
        params: { id: text },
        response: z.object({ total: z.number() }),
      },
    });
    shop.answer = ok({ total: 7, customer: "alice" });
    const status = async (claims: Claims): Promise<number> =>
      (await shop.get("/api/orders/1", claims)).status;
    assert.equal(await status({ sub: "alice", scope: "orders:read" }), 200);
    assert.equal(await status({ sub: "bob", scope: "orders:read" }), 404);
    assert.equal(await status({ sub: "alice" }), 403);
    assert.equal(shop.forwarded.length, 2, "the last one was not asked for");
  });

  test("any tree of conditions judges as its definition does", () => {
    const leaf: fc.Arbitrary<Access> = fc.constantFrom(
      signedIn,
      role("r"),
      scope("s"),
      owner("id"),
      tenant("id"),
      ownerField("f"),
    );
    const { tree } = fc.letrec<{ tree: Access }>((tie) => ({
      tree: fc.oneof(
        { maxDepth: 4 },
        leaf,
        fc.array(tie("tree"), { minLength: 2, maxLength: 3 }).map((of) => allOf(...of)),
        fc.array(tie("tree"), { minLength: 2, maxLength: 3 }).map((of) => anyOf(...of)),
      ),
    }));
    const segments = [{ text: "a" }, { param: "id" }];
    fc.assert(
      fc.property(
        tree,
        fc.record({
          subject: fc.constantFrom("a", "b"),
          roles: fc.constantFrom(["r"], []),
          scopes: fc.constantFrom(["s"], undefined),
          tenant: fc.constantFrom("a", undefined),
        }),
        fc.constantFrom("a", "b"),
        (access, caller, value) => {
          const means = (part: Access, owns: boolean): boolean => {
            if (part.kind === "allOf") return !part.of.some((inner) => !means(inner, owns));
            if (part.kind === "anyOf") return !part.of.every((inner) => !means(inner, owns));
            if (part.kind === "role") return caller.roles.length === 1;
            if (part.kind === "scope") return caller.scopes !== undefined;
            if (part.kind === "owner") return caller.subject === value;
            if (part.kind === "tenant") return caller.tenant === value;
            return part.kind === "ownerField" ? owns : true;
          };
          const expected = means(access, false) ? "yes" : means(access, true) ? "if-own" : "no";
          assert.equal(compileStanding({ access, segments })(caller, [value]), expected);
        },
      ),
    );
  });
});

suite("hide", () => {
  test("whom access refuses is told to the letter what the upstream's own 404 tells, and the log why", async () => {
    const route = { access: role("staff"), hide: true, params: { id: text }, response };
    const shop = openKnownCallers({ "GET /api/a/:id": route });
    const refused = await shop.get("/api/a/1", { sub: "alice" });
    assert.equal(shop.forwarded.length, 0);
    shop.answer = () => ({ kind: "answer", status: 404, value: { secret: "words" } });
    const missing = await shop.get("/api/a/1", { roles: ["staff"] });
    const seen = ({ status, headers, ownHeaders, body }: typeof refused): object => ({
      status,
      headers,
      ownHeaders,
      body,
    });
    assert.equal(refused.status, 404);
    assert.deepEqual(seen(refused), seen(missing));
    const [event] = shop.events;
    assert.ok(
      event?.type === "gateway.request.refused" && event.reason === 'not subjects with the role "staff"',
    );
  });

  test("also where only the schema's text of a parameter is another's", async () => {
    const route = { access: owner("user"), hide: true, params: { user: text.toLowerCase() } };
    assert.deepEqual(
      await statuses("/api/users/:user", route, [["/api/users/ALICE", { sub: "ALICE" }]]),
      [404],
    );
  });
});
