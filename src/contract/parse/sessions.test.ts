import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { defineStack, parseContract, signedIn, upstream } from "../index.ts";

const origin = "https://www.bakery.test";
const route = { access: signedIn, limit: "60/min per client", response: z.object({}), to: "shop" };
const parse = (sessions: unknown, more: object = {}) =>
  parseContract(
    defineStack({
      origin,
      sessions,
      upstreams: { shop: upstream({ url: "https://shop.test" }) },
      routes: { "GET /api/me": { ...route, ...more } },
    } as never),
  );

test("sessions are named by a cookie that no neighbour can set, and let routes know who calls", () => {
  assert.deepEqual(parse({}).sessions, { cookie: "__Host-session" });
  assert.deepEqual(parse({ cookie: "__Host-sid" }).sessions, { cookie: "__Host-sid" });
  assert.throws(() => parse(undefined), /needs to know who calls/);
});

test("a cookie of another name is refused", () => {
  for (const cookie of [
    "session",
    "__Secure-session",
    "__host-session",
    "__Host-",
    "__Host-a b",
    "__Host-a=b",
    7,
    "",
  ])
    assert.throws(() => parse({ cookie }), /must be a name that begins with "__Host-"/, String(cookie));
  assert.throws(() => parse({ name: "__Host-a" }), /there is no option "name"/);
});

test("no route hands the session's cookie on", () => {
  assert.throws(
    () => parse({}, { cookies: { "__Host-session": z.string() } }),
    /does not go on to an upstream/,
  );
  assert.ok(parse({}, { cookies: { theme: z.string().optional() } }));
});

test("proofs of possession are accepted, required, or left out", () => {
  const identity = { issuer: "https://login.test/", audience: "api" };
  const dpopOf = (dpop: unknown) =>
    parseContract(defineStack({ origin, identity: { ...identity, dpop } } as never)).identity?.dpop;
  assert.deepEqual(["accepted", "required", undefined].map(dpopOf), ["accepted", "required", undefined]);
  for (const dpop of [true, "", "optional"]) assert.throws(() => dpopOf(dpop), /"accepted" or "required"/);
});
