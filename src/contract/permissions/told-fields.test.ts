import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { z } from "zod";
import { allOf, anyOf, everyone, role, scope, signedIn } from "../access.ts";
import { check } from "../access/check.ts";
import { ownerLookup } from "../access/owner-lookup.ts";
import type { Contract, ContractUpstream } from "../contract.ts";
import type { Identity } from "../contract/callers.ts";
import type { ContractRoute } from "../contract/route.ts";
import { download, form } from "../define/exchange.ts";
import { upstream } from "../define/upstream.ts";
import { stripe } from "../define/webhook.ts";
import { contractDigest } from "../release/contract-digest.ts";
import { assertTold, fieldsOf, identity, isCounted, key, read, shop, text, told } from "./fixtures/told.ts";
import type { Members, Pair } from "./fixtures/told.ts";
import { contractTreatments, identityTreatments, routeTreatments, upstreamTreatments } from "./treatment.ts";

const get = "GET /api/users/:id";
const routes: Partial<Record<keyof ContractRoute, Pair>> = {
  access: [{}, { access: signedIn }],
  visible: [{ visible: { field: "state", is: ["a"] } }, { visible: { field: "state", is: ["a", "b"] } }],
  hide: [{ hide: true }, {}],
  cache: [{ access: everyone }, { access: everyone, cache: { seconds: 60 } }],
  idempotent: [
    { headers: { "idempotency-key": text } },
    { headers: { "idempotency-key": text }, idempotent: true },
  ],
  limits: [{}, { limit: "61/min per client" }],
  pace: [{ pace: "10/s per client, queue 50, wait 2s" }, {}],
  concurrency: [{ concurrency: 3 }, { concurrency: 4 }],
  failures: [{ failures: "5/15min per client" }, { failures: "6/15min per client" }],
  spends: [{ spends: { mail: 2 } }, { spends: { mail: 1 } }],
  params: [{}, { params: { id: z.string().max(41) } }],
  query: [{}, { query: { all: text.optional() } }],
  headers: [{}, { headers: { "x-all": text.optional() } }],
  cookies: [{}, { cookies: { all: text.optional() } }],
  body: [{}, { body: z.object({ name: text, admin: z.boolean().optional() }) }],
  bodyType: [{}, { body: form({ name: text }) }],
  jsonLimits: [{}, { jsonLimits: { depth: 33 } }],
  response: [{}, { response: z.object({ name: text, email: text }) }],
  stream: [
    { response: download({ types: ["text/plain"], maxBytes: 9 }) },
    { response: download({ types: ["text/plain", "text/html"], maxBytes: 9 }) },
  ],
  responseHeaders: [{}, { responseHeaders: { "x-total": text } }],
  errors: [{}, { errors: { 409: z.object({ hint: text }) } }],
  to: [{}, { to: "stock" }],
  createsSession: [{ createsSession: true }, {}],
  maxBodyBytes: [{}, { maxBodyBytes: 65_537 }],
  webhook: [
    { access: everyone, webhook: stripe("HOOK_KEY") },
    { access: everyone, webhook: stripe("HOOK_KEY", { toleranceSeconds: 301 }) },
  ],
  observe: [
    { insecureObserve: { until: "2020-01-01", reason: "the shop is being looked at" } },
    { insecureObserve: { until: "2020-01-31", reason: "the shop is being looked at" } },
  ],
};
const ofGet = new Set(["visible", "stream", "cache"]);

const upstreams: Partial<Record<keyof ContractUpstream, Pair>> = {
  url: [{}, { url: "https://other.example" }],
  alternates: [{}, { url: ["https://shop.example", "https://other.example"] }],
  network: [{}, { network: "private" }],
  maxResponseBytes: [{}, { maxResponseBytes: 99_000_000 }],
  caFile: [{}, { caFile: "own.pem" }],
  clientCertificate: [{}, { clientCertificate: { certFile: "a.pem", keyFile: "b.pem" } }],
  forwardClient: [{}, { forwardClient: "forwarded" }],
  trace: [{}, { trace: "continue" }],
};

const identities: Partial<Record<keyof Identity, Pair>> = {
  issuer: [{}, { issuer: "https://other.example" }],
  audience: [{}, { audience: "all" }],
  jwksUrl: [{}, { jwksUrl: "https://other.example/keys" }],
  network: [{}, { network: "private" }],
  algorithms: [{ algorithms: ["ES256"] }, { algorithms: ["ES256", "RS256"] }],
  rolesClaim: [{}, { rolesClaim: "groups" }],
  tenantClaim: [{}, { tenantClaim: "org" }],
  clockToleranceSeconds: [{}, { clockToleranceSeconds: 30 }],
  dpop: [{ dpop: "required" }, { dpop: "accepted" }],
  caFile: [{}, { caFile: "own.pem" }],
};

const contracts: Partial<Record<keyof Contract, Pair>> = {
  apiKeys: [{}, { apiKeys: { file: "keys.json" } }],
  sessions: [{}, { sessions: {} }],
  corsOrigins: [{}, { cors: { origins: ["https://a.example"] } }],
  budgets: [{}, { budgets: { mail: "10/h" } }],
  limitStore: [{}, { limits: { store: { kind: "redis", url: "rediss://counts.example" }, instances: 2 } }],
};
/** With tables or tests of their own. */
const apart = [
  "functions",
  "secrets",
  "egressOrigins",
  "vault",
  "ledger",
  "routes",
  "upstreams",
  "identity",
  "site",
  "edge",
  "keys",
  "environment",
  "leaks",
  "weakenings",
];

suite("Whatever permits something is told when it permits more", () => {
  for (const [name, [narrow, wide]] of Object.entries(routes)) {
    const at = ofGet.has(name) ? get : key;
    test(`of a route: ${name}`, () =>
      assertTold(read(narrow, {}, at), read(wide, {}, at), isCounted(routeTreatments, name)));
  }
  for (const [name, [narrow, wide]] of Object.entries(upstreams)) {
    const of = (options: Members): Contract =>
      read({}, { upstreams: { shop: upstream({ ...shop, ...options }) } });
    test(`of an upstream: ${name}`, () =>
      assertTold(of(narrow), of(wide), isCounted(upstreamTreatments, name)));
  }
  for (const [name, [narrow, wide]] of Object.entries(identities)) {
    const of = (options: Members): Contract => read({}, { identity: { ...identity, ...options } });
    test(`of the identity: ${name}`, () =>
      assertTold(of(narrow), of(wide), isCounted(identityTreatments, name)));
  }
  for (const [name, [narrow, wide]] of Object.entries(contracts))
    test(`of the contract: ${name}`, () =>
      assertTold(read({}, narrow), read({}, wide), isCounted(contractTreatments, name)));

  test("no field is forgotten", () => {
    assert.deepEqual(Object.keys(routes).sort(), fieldsOf(routeTreatments, []));
    assert.deepEqual(Object.keys(upstreams).sort(), fieldsOf(upstreamTreatments, ["name"]));
    assert.deepEqual(Object.keys(identities).sort(), fieldsOf(identityTreatments, []));
    assert.deepEqual(Object.keys(contracts).sort(), fieldsOf(contractTreatments, apart));
  });

  test("every field of a parsed contract is in a table", () => {
    const whole = read({}, { identity: { ...identity, dpop: "required" } });
    const known: [object, object][] = [
      [whole, contractTreatments],
      [whole.routes[0] ?? {}, routeTreatments],
      [whole.upstreams.get("shop") ?? {}, upstreamTreatments],
      [whole.identity ?? {}, identityTreatments],
    ];
    for (const [parsed, treatments] of known)
      assert.deepEqual(
        Object.keys(parsed).filter((name) => !Object.hasOwn(treatments, name)),
        [],
      );
  });
});

suite("What permits less is not told", () => {
  const cases: Record<string, Pair> = {
    "objects that are hidden": [{}, { visible: { field: "state", is: ["a"] } }],
    "more of them": [
      { visible: { field: "state", is: ["a", "b"], unless: signedIn } },
      { visible: { field: "state", is: ["a"], unless: role("x") } },
    ],
    "that there is something": [{}, { hide: true }],
  };
  for (const [what, [before, after]] of Object.entries(cases))
    test(what, () => assert.deepEqual(told(read(before, {}, get), read(after, {}, get)), []));

  test("proofs of possession that are required", () => {
    assert.deepEqual(told(read({}), read({}, { identity: { ...identity, dpop: "required" } })), []);
  });
});

suite("An authority of one's own that is gone", () => {
  test("is told: all that the system trusts are believed now", () => {
    const of = (options: Members): Contract =>
      read({}, { upstreams: { shop: upstream({ ...shop, ...options }) } });
    const own = of({ caFile: "own.pem" });
    assert.deepEqual(told(own, of({})), ['upstream shop authority: no longer {"ownAuthority":true}']);
    assert.deepEqual(told(of({}), own), ["upstream shop caFile: own.pem"]);
    assert.deepEqual(told(own, own), []);
  });
});

suite("Who may call, told", () => {
  const order = { get: "/orders/:id", field: "customerId" };
  const small = check("small", ({ body }) => body === 1);
  const access = (before: object, after: object, options: Members = {}): string[] =>
    told(read({ access: before }, options), read({ access: after }, options));

  test("a look-up and a check permit less than to be signed in, and another look-up is another", () => {
    assert.deepEqual(access(signedIn, ownerLookup(order)), []);
    assert.deepEqual(access(role("a"), allOf(role("a"), ownerLookup(order))), []);
    assert.match(access(ownerLookup(order), ownerLookup({ ...order, field: "sellerId" })).join(), /sellerId/);
    assert.equal(access(ownerLookup(order), signedIn).length, 1);
  });

  test("a check whose text changes is told with both texts", () => {
    const other = check("small", ({ body }) => body !== 2);
    assert.deepEqual(access(small, other), [
      `${key} check small: ({ body }) => body === 1 → ({ body }) => body !== 2`,
    ]);
    assert.deepEqual(access(signedIn, small), []);
    assert.deepEqual(access(anyOf(small, role("a")), role("a")), []);
    assert.deepEqual(access(allOf(small, role("a")), allOf(role("a"), small)), []);
  });

  test("what API keys open is told, where the contract has them", () => {
    const apiKeys = { file: "keys.json" };
    const scoped = allOf(role("a"), scope("w"));
    assert.deepEqual(access(role("a"), scoped), []);
    assert.deepEqual(access(role("a"), scoped, { apiKeys }), [
      `${key} access by API key: allOf [{"kind":"role","role":"a"},{"kind":"scope","scope":"w"}]`,
    ]);
  });

  test("a check that changes makes another digest", async () => {
    const digest = (run: () => boolean): Promise<string> =>
      contractDigest(read({ access: check("small", run) }));
    assert.notEqual(await digest(() => true), await digest(() => false));
  });
});
