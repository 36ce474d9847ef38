import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import {
  connectionSecret,
  everyone,
  none,
  parseContract,
  redis,
  signedIn,
  upstream,
  webhookSecret,
} from "../index.ts";
import type { Contract } from "../index.ts";

const plain = {
  access: everyone,
  limit: "120/min per client",
  response: z.object({ id: z.string() }),
  to: "shop",
};
const login = { ...plain, body: z.object({ email: z.string(), password: z.string() }), response: none };

/** As JavaScript would write it: what the types refuse, too. */
function parse(routes: Record<string, unknown>, more: Record<string, unknown> = {}): Contract {
  return parseContract({
    kind: "stack",
    origin: "https://www.bakery.test",
    identity: { issuer: "https://login.bakery.test", audience: "https://www.bakery.test" },
    upstreams: { shop: upstream({ url: "https://shop.bakery.test", concurrency: 40 }) },
    routes,
    ...more,
  });
}
const refused = (routes: Record<string, unknown>, message: RegExp, more?: Record<string, unknown>): void =>
  assert.throws(
    () => parse(routes, more),
    (error: Error & { hint?: string }) => {
      assert.match(`${error.message}\n${error.hint ?? ""}`, message);
      return true;
    },
  );

test("a route's limits are read, each default filled in", () => {
  const contract = parse(
    {
      "GET /api/a": plain,
      "POST /api/login": {
        ...login,
        limit: ["30/min per client", "1000/min per route"],
        pace: "10/s per route, queue 50, wait 2s",
        concurrency: 20,
        failures: ["5/15min per client", "20/h per body.email"],
        spends: { mail: 2 },
        priority: "high",
      },
    },
    { budgets: { mail: "1000/h" } },
  );
  const [a, b] = contract.routes;
  assert.deepEqual(
    [a?.pace, a?.concurrency, a?.failures, a?.spends, a?.priority],
    [undefined, undefined, undefined, [], "normal"],
  );
  assert.equal(b?.pace?.queue, 50);
  assert.equal(b?.concurrency, 20);
  assert.deepEqual(b?.failures?.statuses, [401, 403, 422]);
  assert.deepEqual(
    b?.failures?.limits.map(({ by, field }) => [by, ...field]),
    [["client"], ["body", "email"]],
  );
  assert.deepEqual(
    b?.spends.map(({ budget, cost }) => [budget.name, budget.count, cost]),
    [["mail", 1000, 2]],
  );
  assert.equal(b?.priority, "high");
  assert.equal(contract.upstreams.get("shop")?.concurrency, 40);
  assert.equal(contract.limitStore, undefined);
});

test("a limit per user, tenant or key needs a caller, wherever it stands", () => {
  for (const by of ["user", "tenant", "key"]) {
    refused({ "GET /api/a": { ...plain, limit: `9/s per ${by}` } }, new RegExp(`needs a ${by}`));
    refused(
      { "GET /api/a": { ...plain, pace: `9/s per ${by}, queue 5, wait 1s` } },
      new RegExp(`needs a ${by}`),
    );
    refused({ "POST /api/a": { ...login, failures: `9/h per ${by}` } }, new RegExp(`needs a ${by}`));
    assert.ok(parse({ "GET /api/a": { ...plain, access: signedIn, limit: `9/s per ${by}` } }));
  }
});

test("failures are counted by fields that requests have, and by no others", () => {
  refused(
    { "POST /api/login": { ...login, failures: "9/h per body.mail" } },
    /does not have.*\n.*email, password/,
  );
  refused({ "GET /api/a": { ...plain, failures: "9/h per body.email" } }, /does not have/);
  refused({ "GET /api/a": { ...plain, failures: "9/h per params.id" } }, /path does not have/);
  refused(
    { "POST /api/login": { ...login, failures: { limit: "9/h per client", statuses: [200] } } },
    /from 400 to 599/,
  );
  refused({ "POST /api/login": { ...login, failures: { limits: "9/h per client" } } }, /no option "limits"/);
  const union = z.union([login.body, z.object({ phone: z.string() })]);
  assert.ok(parse({ "POST /api/login": { ...login, body: union, failures: "9/h per body.phone" } }));
});

test("what is spent must be among the budgets, and payable", () => {
  const budgets = { mail: "10/h" };
  refused({ "GET /api/a": { ...plain, spends: { sms: 1 } } }, /not among the budgets.*\n.*mail/, { budgets });
  refused({ "GET /api/a": { ...plain, spends: { mail: 11 } } }, /from 1 to 10/, { budgets });
  refused({}, /budgets\.mail must be how much/, { budgets: { mail: 1000 } });
  refused({}, /longer than 31 days/, { budgets: { mail: "1000/2000day" } });
});

test("numbers and names out of range are refused", () => {
  refused({ "GET /api/a": { ...plain, concurrency: 0 } }, /from 1 to 100000/);
  refused({ "GET /api/a": { ...plain, priority: "urgent" } }, /"low", "normal" or "high"/);
  refused({ "GET /api/a": { ...plain, pace: "10/s per client" } }, /is not a pace/);
});

test("a store is read; over an open network it must be encrypted, and say how many hosts there are", () => {
  const store = redis({ url: "rediss://cache.internal:6380", password: "REDIS_PASSWORD" });
  const secrets = { REDIS_PASSWORD: connectionSecret(), OTHER: webhookSecret() };
  const contract = parse({}, { limits: { store, instances: 3 }, secrets });
  assert.deepEqual(
    { ...contract.limitStore, url: contract.limitStore?.url.href },
    {
      url: "rediss://cache.internal:6380",
      username: undefined,
      secret: "REDIS_PASSWORD",
      caFile: undefined,
      timeoutMs: 100,
      instances: 3,
    },
  );
  refused({}, /how many hosts/, { limits: { store }, secrets });
  for (const password of ["hunter2", "OTHER", 7])
    refused({}, /^(?![^]*hunter2)[^]*names no connectionSecret/, {
      limits: { store: redis({ url: "rediss://x", password } as never), instances: 2 },
      secrets,
    });
  refused({}, /username stands there without a password/, {
    limits: { store: redis({ url: "rediss://x", username: "limits" }), instances: 2 },
  });
  refused({}, /not made by redis\(\)/, { limits: { store: { url: "rediss://x" }, instances: 1 } });
  const at = (url: string, more = {}): Record<string, unknown> => ({
    limits: { store: redis({ url, ...more }), instances: 2 },
  });
  refused({}, /must be rediss/, at("redis://10.0.0.7:6379"));
  refused({}, /user or password/, at("rediss://:hunter2@cache.internal"));
  for (const url of [
    "https://cache.internal",
    "rediss://cache.internal/2",
    "cache.internal",
    "rediss://x?tls=no",
  ])
    refused({}, /must be where it listens/, at(url));
  assert.ok(parse({}, at("redis://127.0.0.1:6379")));
  const weak = parse({}, at("redis://10.0.0.7:6379", { insecureAllowPlain: "runs over WireGuard" }));
  assert.deepEqual(weak.weakenings, [
    { at: "limits.store.insecureAllowPlain", reason: "runs over WireGuard" },
  ]);
});
