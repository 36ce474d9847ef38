import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import fc from "fast-check";
import { z } from "zod";
import {
  allOf,
  anyOf,
  defineStack,
  everyone,
  owner,
  parseContract,
  role,
  scope,
  signedIn,
  tenant,
  upstream,
} from "../../contract/index.ts";
import type { Access, SecurityEvent } from "../../contract/index.ts";
import { callGateway, origin } from "../fixtures/bakery.ts";
import type { Reply } from "../fixtures/bakery.ts";
import { createKeySource, identity, makeKey, makeToken } from "../fixtures/issuer.ts";
import { createGateway } from "../gateway.ts";
import { createLimitMemory, createLimitStore } from "../limits/rate-limit.ts";
import { openApiKeyFile } from "../node/api-key-file.ts";
import type { NewApiKey } from "../node/api-key-file.ts";
import { tokenDigest } from "../node.ts";
import { parseApiKeyList } from "./api-key-list.ts";
import { createApiKeys } from "./api-keys.ts";
import { createTokenVerifier } from "./token-verifier.ts";

const signingKey = await makeKey("EdDSA", "k1");
const nowMs = 1_800_000_000_000;
const isoIn = (ms: number): string => new Date(nowMs + ms).toISOString();

function openFolder(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), "cw-api-keys-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "api-keys.json");
  return { path, file: openApiKeyFile(path, () => nowMs), text: () => readFileSync(path, "utf8") };
}

interface Setting {
  access?: Access;
  header?: "authorization" | "x-api-key";
  cache?: { seconds: number; browserSeconds: number };
}

/** A gateway with one route, real tokens and a real file of keys. */
function open(
  t: TestContext,
  { access = scope("orders:read"), header = "authorization", cache }: Setting = {},
) {
  const { file, text } = openFolder(t);
  const events: SecurityEvent[] = [];
  const clock = { nowMs };
  const contract = parseContract(
    defineStack({
      origin,
      identity: { issuer: identity.issuer, audience: identity.audience, tenantClaim: "org" },
      apiKeys: { file: "api-keys.json", header },
      upstreams: { shop: upstream({ url: "https://shop.bakery.test" }) },
      routes: {
        "GET /api/a/:id": {
          access,
          limit: "6000/min per client",
          params: { id: z.string() },
          query: { q: z.string().optional() },
          ...(cache === undefined ? {} : { cache }),
          response: z.object({ subject: z.string().optional() }),
          to: "shop",
        },
      },
    }),
  );
  const apiKeys = createApiKeys({
    digest: tokenDigest,
    events: (event) => events.push(event),
    now: () => clock.nowMs,
  });
  const gateway = createGateway({
    contract,
    limits: createLimitStore(createLimitMemory({ now: nowMs })),
    tokens: createTokenVerifier({
      identity: { ...identity, tenantClaim: "org" },
      keys: createKeySource([signingKey.jwk]),
      digest: tokenDigest,
      now: () => clock.nowMs,
    }),
    apiKeys,
    events: (event) => events.push(event),
    now: () => clock.nowMs,
    destinations: new Map([
      [
        "shop",
        ({ caller }, done) => done({ kind: "answer", status: 200, value: { subject: caller?.subject } }),
      ],
    ]),
  });
  const make = (key: Partial<NewApiKey> = {}): string => {
    const made = file.create({ scopes: ["orders:read"], ...key });
    apiKeys.replace(text());
    return made.key;
  };
  const get = (headers: Record<string, string> = {}, target = "/api/a/1"): Promise<Reply> =>
    callGateway(gateway, { target, headers });
  const byKey = async (key: string): Promise<number> =>
    (await get({ authorization: `ApiKey ${key}` })).status;
  return { apiKeys, file, text, events, clock, make, get, byKey };
}

suite("a key", () => {
  test("is what a browser finds a kept answer by: whoever comes next is not shown it", async (t) => {
    const { make, get } = open(t, { header: "x-api-key", cache: { seconds: 60, browserSeconds: 30 } });
    const reply = await get({ "x-api-key": make() });
    assert.equal(reply.header("cache-control"), "private, max-age=30");
    assert.equal(reply.header("vary"), "Origin, Authorization, cookie, x-api-key");
  });

  test("opens what it was made for, and its caller is named by it", async (t) => {
    const { make, get, byKey } = open(t);
    const key = make();
    assert.equal(await byKey(key), 200);
    assert.equal(
      (await get({ authorization: `apikey ${key}` })).json()["subject"],
      `key:${key.slice(4, 12)}`,
    );
    assert.equal((await get()).header("www-authenticate"), "Bearer, ApiKey");
    assert.equal(await byKey(make({ scopes: ["orders:write"] })), 403);
  });

  test("is refused once its time is over, or it was revoked", async (t) => {
    const { make, byKey, clock, file, apiKeys, text } = open(t);
    const short = make({ expires: isoIn(1000) });
    const long = make();
    clock.nowMs += 999;
    assert.equal(await byKey(short), 200);
    clock.nowMs += 1;
    assert.equal(await byKey(short), 401);
    assert.equal(file.revoke(long.slice(4, 12)), true);
    apiKeys.replace(text());
    assert.equal(await byKey(long), 401);
    assert.equal(file.revoke(long.slice(4, 12)), false);
  });

  test("changed in any place is refused, and so is its digest, its name, or nothing", async (t) => {
    const { make, byKey, file } = open(t);
    const key = make();
    await fc.assert(
      fc.asyncProperty(
        fc.nat(key.length - 1),
        fc.constantFrom("0", "a", "Z", "_", ".", " "),
        async (at, letter) => {
          if (key[at] !== letter)
            assert.equal(await byKey(key.slice(0, at) + letter + key.slice(at + 1)), 401);
        },
      ),
      { numRuns: 60 },
    );
    const [record] = file.list();
    for (const text of [
      record?.digest ?? "",
      record?.id ?? "",
      "",
      "cwk_",
      `${key}x`,
      ` ${key}`,
      `${key}, ${key}`,
    ])
      assert.equal(await byKey(text), 401);
  });

  test("comes in the declared header alone", async (t) => {
    const plain = open(t);
    const key = plain.make();
    assert.equal((await plain.get({ "x-api-key": key })).status, 401);
    assert.equal((await plain.get({ authorization: `Bearer ${key}` })).status, 401);
    const other = open(t, { header: "x-api-key" });
    const named = other.make();
    assert.equal((await other.get({ "x-api-key": named })).status, 200);
    assert.equal(await other.byKey(named), 401);
    const token = await makeToken(signingKey, { claims: { scope: "orders:read" }, now: nowMs / 1000 });
    assert.equal((await other.get({ authorization: `Bearer ${token}` })).status, 200);
    const both = await other.get({ authorization: `Bearer ${token}`, "x-api-key": named });
    assert.equal(both.status, 401, "two callers in one request are none");
  });

  test("in an address is refused, encoded too, and the log does not repeat it", async (t) => {
    for (const access of [scope("orders:read"), everyone]) {
      const { make, get, events } = open(t, { access });
      const key = make();
      for (const written of [key, key.replace("_", "%5f"), `%63wk%5F${key.slice(4)}`, `%zz${key}`]) {
        const reply = await get({ authorization: `ApiKey ${key}` }, `/api/a/1?q=${written}`);
        assert.equal(reply.status, 400);
        assert.equal(reply.json()["code"], "GATEWAY_KEY_IN_QUERY");
      }
      assert.ok(!JSON.stringify(events).includes(key.slice(12)));
      assert.equal((await get({ authorization: `ApiKey ${key}` }, "/api/a/1?q=cwk_rye")).status, 200);
    }
  });
});

suite("what a key opens", () => {
  const alice = { subject: "alice", tenant: "acme" };
  const cases: [string, Access, number][] = [
    ["a route for whoever is signed in", signedIn, 401],
    ["a role", role("orders:read"), 401],
    ["its owner's own, without a scope", owner("id"), 401],
    ["a choice in which no way has a scope", anyOf(role("staff"), owner("id")), 401],
    ["a scope", scope("orders:read"), 200],
    ["another scope, or its owner's own", anyOf(scope("admin"), owner("id")), 403],
    ["its scope, or staff", anyOf(scope("orders:read"), role("staff")), 200],
    ["its scope, and its owner's own", allOf(scope("orders:read"), owner("id")), 200],
    ["its scope, and its tenant's", allOf(scope("orders:read"), tenant("id")), 403],
    ["its scope, and a role", allOf(scope("orders:read"), role("staff")), 403],
    ["its scope, of somebody who is signed in", allOf(signedIn, scope("orders:read")), 401],
    ["its scope, and one of two", allOf(scope("orders:read"), anyOf(scope("admin"), owner("id"))), 200],
    ["one of two, and its owner's own", allOf(anyOf(scope("admin"), role("staff")), owner("id")), 403],
  ];
  for (const [name, access, status] of cases)
    test(`${name}: ${status}`, async (t) => {
      const { make, get } = open(t, { access });
      const reply = await get({ authorization: `ApiKey ${make(alice)}` }, "/api/a/alice");
      assert.equal(reply.status, status);
    });
});

suite("the list of keys", () => {
  test("has no key in it, is for its owner alone, and is read by nobody half", (t) => {
    const { file, path, text } = openFolder(t);
    const { key } = file.create({ scopes: ["a"], subject: "alice", tenant: "acme", expires: isoIn(5) });
    assert.ok(!text().includes(key) && !text().includes(key.slice(12)));
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.match(key, /^cwk_[0-9A-Za-z]{46}$/);
    assert.throws(() => file.create({ scopes: [] }), { code: "GATEWAY_API_KEYS_INVALID" });
    assert.equal(file.list().length, 1);
  });

  test("that can't be used leaves the one before, and the log says why; none at all is no keys", async (t) => {
    const { make, byKey, apiKeys, events } = open(t);
    const key = make();
    for (const list of ["", "{", "[]", '{"version":2,"keys":[]}', '{"version":1,"keys":[{}]}']) {
      apiKeys.replace(list);
      assert.equal(events.at(-1)?.type, "gateway.api-keys.refused");
      assert.equal(await byKey(key), 200);
    }
    apiKeys.replace(undefined);
    assert.equal(await byKey(key), 401);
  });

  const entry = {
    id: "abcdefgh",
    digest: "A".repeat(43),
    subject: "alice",
    scopes: ["a"],
    created: "2026-01-01T00:00:00.000Z",
  };
  const listOf = (...keys: object[]): string => JSON.stringify({ version: 1, keys });
  test("is read to the letter", () => {
    assert.equal(parseApiKeyList(listOf(entry)).length, 1);
    const wrong: object[] = [
      { ...entry, networks: ["10.0.0.0/8"] },
      { ...entry, scopes: ["a b"] },
      { ...entry, scopes: "a" },
      { ...entry, scopes: [] },
      { ...entry, subject: "" },
      { ...entry, tenant: 7 },
      { ...entry, expires: "soon" },
      { ...entry, expires: "2026-13-01T00:00:00Z" },
      { ...entry, digest: "A".repeat(42) },
      { ...entry, id: "abc" },
    ];
    for (const key of wrong)
      assert.throws(() => parseApiKeyList(listOf(key)), /entry 1/, JSON.stringify(key));
    assert.throws(() => parseApiKeyList(listOf(entry, entry)), /two keys have one name/);
  });
});
