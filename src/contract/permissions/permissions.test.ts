import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { z } from "zod";
import { everyone, owner, role, signedIn } from "../access.ts";
import type { Contract } from "../contract.ts";
import { defineStack } from "../define.ts";
import { none } from "../define/schema.ts";
import { upstream } from "../define/upstream.ts";
import { parseContract } from "../parse.ts";
import { publicKeyOf } from "../release/public-key.ts";
import { describeWidening } from "./describe-permission.ts";
import {
  approvePermissions,
  lockEntries,
  parseLockedPermissions,
  prunePermissions,
  recordPermissions,
} from "./lock-permissions.ts";
import type { LockedPermission } from "./permission.ts";
import { permissionsOf } from "./permissions-of.ts";
import { reviewPermissions } from "./review.ts";

type Members = Record<string, unknown>;

const route: Members = {
  access: owner("id"),
  limit: ["60/min per client", "20/min per user"],
  params: { id: z.uuid() },
  query: { page: z.coerce.number().int().min(1).max(9).optional() },
  body: z.object({ name: z.string().max(40) }),
  response: z.object({ name: z.string().max(40) }),
  to: "shop",
};
const key = "POST /api/users/:id";
const stack: Members = {
  origin: "https://www.bakery.example",
  identity: { issuer: "https://login.bakery.example", audience: "shop" },
  upstreams: {
    shop: upstream({ url: "https://shop.example" }),
    stock: upstream({ url: "https://stock.example" }),
  },
};

const read = (changes: Members = {}, more: Members = {}, routeKey = key): Contract =>
  parseContract(
    defineStack({ ...stack, ...more, routes: { [routeKey]: { ...route, ...changes } } } as never),
  );

/** As the lock's file has it. */
const recorded = (contract: Contract): LockedPermission[] =>
  parseLockedPermissions(JSON.parse(JSON.stringify(lockEntries(recordPermissions(contract, "2026-11-22")))));

const told = (before: Contract, after: Contract): string[] =>
  reviewPermissions(permissionsOf(after), recorded(before)).widened.map(describeWidening);

const pinned = publicKeyOf(new Uint8Array(32).fill(7))?.text;
const other = publicKeyOf(new Uint8Array(32).fill(9))?.text;
const base = { issuer: "https://login.bakery.example", audience: "shop" };
const widening: Record<string, [after: Contract, told: RegExp, before?: Contract]> = {
  "a route that is made public": [
    read({ access: everyone, limit: "60/min per client" }),
    /access: owner id → everyone$/,
  ],
  "a route for all who are signed in": [read({ access: signedIn }), /owner id → signedIn$/],
  "another role": [read({ access: role("staff") }), /role staff/],
  "a higher limit": [
    read({ limit: ["60/min per client", "21/min per user"] }),
    /limit: .* → 21\/min per user/,
  ],
  "a limit that is gone": [read({ limit: "60/min per client" }), /limit: /],
  "a field of the body": [
    read({ body: z.object({ name: z.string().max(40), admin: z.boolean().optional() }) }),
    /body\/admin: boolean$/,
  ],
  "a field of the answer": [
    read({ response: z.object({ name: z.string().max(40), email: z.string().max(9) }) }),
    /response\/email: string to 9$/,
  ],
  "a key of the query": [
    read({ query: { page: z.string().optional(), all: z.literal("1").optional() } }),
    /query\/all/,
  ],
  "a larger body": [read({ maxBodyBytes: 70_000 }), /maxBodyBytes: at most 65536 → at most 70000$/],
  "another upstream": [read({ to: "stock" }), /to: shop → stock$/],
  "the upstream's address": [
    read(
      {},
      { upstreams: { ...(stack["upstreams"] as object), shop: upstream({ url: "https://evil.example" }) } },
    ),
    /upstream shop: https:\/\/shop\.example\/ → https:\/\/evil\.example\/$/,
  ],
  "an origin whose pages may call": [
    read({}, { cors: { origins: ["https://a.example"] } }),
    /cors: https:\/\/a\.example$/,
  ],
  "another issuer": [read({}, { identity: { ...base, issuer: "https://evil.example" } }), /identity issuer/],
  "another audience": [
    read({}, { identity: { ...base, audience: "all" } }),
    /identity audience: shop → all$/,
  ],
  "an algorithm": [
    read({}, { identity: { ...base, algorithms: ["ES256", "RS256"] } }),
    /identity algorithm: .*RS256/,
    read({}, { identity: { ...base, algorithms: ["ES256"] } }),
  ],
  "open input": [
    read({ insecureOpenInput: "an old client sends more" }),
    /weakening: routes\[.*insecureOpenInput$/,
  ],
  "a trusted proxy": [
    read({}, { edge: { proxies: { trusted: 2, clientFrom: "forwarded" } } }),
    /edge proxies trusted: 2 in a row/,
  ],
  "a public variable": [
    read({}, { publicEnv: z.object({ SHOP_NAME: z.string() }) }),
    /publicEnv: SHOP_NAME$/,
  ],
  "a leak that is let pass": [
    read(
      {},
      {
        leaks: {
          allow: [
            {
              rule: "token-google-api",
              path: "/a.js",
              reason: "a key that only draws maps",
              expires: "2027-01-31",
            },
          ],
        },
      },
    ),
    /leaks allow token-google-api \/a\.js, day: .*at most 20270131/,
  ],
  "a canary less": [read(), /leaks canaries/, read({}, { leaks: { canaries: ["canary-0123456789"] } })],
  "a limit on failures that is gone": [
    read(),
    /guards: no longer .*failures/,
    read({ failures: "5/15min per client" }),
  ],
  "a queue that is gone": [
    read(),
    /guards: no longer .*pace/,
    read({ pace: "10/s per client, queue 50, wait 2s" }),
  ],
  "more at once": [read({ concurrency: 9 }), /guards: /, read({ concurrency: 8 })],
  "a session for whoever asks": [
    read(),
    /guards: no longer .*createsSession/,
    read({ createsSession: true }),
  ],
  "a body that need not be sent": [read({ body: none }), /body: object \(required\) → none$/],
  "development keys": [
    read(),
    /keys: development$/,
    read(
      {},
      {
        keys: {
          program: pinned,
          release: other,
        },
      },
    ),
  ],
};

suite("It is told, before it is built or served", () => {
  for (const [what, [after, expected, before = read()]] of Object.entries(widening))
    test(what, () => {
      const found = told(before, after);
      assert.ok(
        found.some((line) => expected.test(line)),
        found.join("\n"),
      );
      assert.deepEqual(told(after, after), [], "approved, it is not told again");
    });
});

const narrowing: Record<string, [after: Contract, before?: Contract]> = {
  "a limit that is lower": [read({ limit: ["30/min per client", "20/min per user"] })],
  "a smaller body": [read({ maxBodyBytes: 100 })],
  "a narrower answer": [read({ response: z.object({}) })],
  "an answer without a body": [read({ response: none })],
  "a public route that asks for a token": [
    read({ access: signedIn }),
    read({ access: everyone, limit: "60/min per client" }),
  ],
  "a guard": [read({ concurrency: 8, failures: "5/15min per client", createsSession: true })],
  "a summary, a deadline": [read({ summary: "Users", timeoutMs: 900 })],
  "an upstream elsewhere on this machine": [
    read({}, { upstreams: { shop: upstream({ url: "https://localhost:4001" }) } }),
    read({}, { upstreams: { shop: upstream({ url: "https://127.0.0.1:4002" }) } }),
  ],
  "another reason for a weakening": [
    read({ insecureOpenInput: "an old client sends more" }),
    read({ insecureOpenInput: "an old client may send more" }),
  ],
};

suite("It permits no more, and nobody is asked", () => {
  for (const [what, [after, before = read()]] of Object.entries(narrowing))
    test(what, () => assert.deepEqual(told(before, after), []));
});

test("A new route is told with all that it permits, and one that is gone is not", () => {
  const both = parseContract(
    defineStack({
      ...stack,
      routes: {
        [key]: route,
        "GET /api/b": { access: everyone, limit: "1/s per client", response: none, to: "shop" },
      },
    } as never),
  );
  assert.deepEqual(told(read(), both), [
    "GET /api/b access: everyone",
    "GET /api/b limit: 1/s per client",
    "GET /api/b to: shop",
  ]);
  assert.deepEqual(told(both, read()), []);
});

test("An option that nobody here knows yet is compared to the letter, and so is its absence", () => {
  const contract = read();
  const [first] = contract.routes;
  const later = (value: unknown): Contract => ({
    ...contract,
    routes: [{ ...first, guardDog: value } as never],
  });
  assert.deepEqual(told(contract, later({ awake: true })), [`${key} guardDog: {"awake":true}`]);
  assert.deepEqual(told(later({ awake: true }), later({ awake: false })), [
    `${key} guardDog: {"awake":true} → {"awake":false}`,
  ]);
  assert.deepEqual(told(later({ awake: true }), contract), [`${key} guardDog: no longer {"awake":true}`]);
  assert.deepEqual(told(contract, later(false)), [], "one that says nothing is no permission");
});

suite("The lock's lines", () => {
  const today = "2026-11-23";
  const locked = recorded(read());

  test("an approval keeps what another environment asks for, and forgets what it covers", () => {
    const elsewhere = read(
      { limit: "90/min per client" },
      {
        upstreams: {
          shop: upstream({ url: "https://b.example" }),
          stock: upstream({ url: "https://stock.example" }),
        },
      },
    );
    const after = approvePermissions(elsewhere, locked, { reason: "the test shop", today });
    const at = (place: string): unknown[] =>
      after.filter((entry) => entry.at === place).map(({ permits }) => permits);
    assert.deepEqual(at("upstream shop"), ["https://shop.example/", "https://b.example/"]);
    assert.deepEqual(at(`${key} limit`), [{ limits: ["90/min per client"] }]);
    assert.deepEqual(reviewPermissions(permissionsOf(read()), after).widened, []);
    const { widened, unreviewed } = reviewPermissions(permissionsOf(elsewhere), after);
    assert.deepEqual(widened, []);
    assert.ok(unreviewed.length > 0, "a reason for what is new is none for what a first run found");
    const whole = approvePermissions(elsewhere, after, { reason: "read from end to end", today });
    assert.deepEqual(reviewPermissions(permissionsOf(elsewhere), whole).unreviewed, []);
    const reasonAt = (place: string): unknown => whole.find((entry) => entry.at === place)?.reason;
    assert.equal(reasonAt(`${key} limit`), "the test shop");
    assert.equal(reasonAt(`${key} access`), "read from end to end");
  });

  test("pruned, it grants no more than the contract asks for", () => {
    const narrow = read({ maxBodyBytes: 10 });
    const pruned = prunePermissions(narrow, locked, today);
    assert.deepEqual(
      reviewPermissions(permissionsOf(read()), pruned).widened.map(({ at }) => at),
      [`${key} maxBodyBytes`],
    );
    assert.deepEqual(reviewPermissions(permissionsOf(narrow), pruned).widened, []);
    assert.deepEqual(
      prunePermissions(read({ access: everyone, limit: "60/min per client" }), locked, today).filter(
        ({ at }) => at === `${key} access`,
      ),
      [],
    );
  });

  test("a guard that came later is in the lock with the next approval, or once the lock is pruned", () => {
    const guarded = read({ concurrency: 8 });
    const wider = read({ concurrency: 8, access: signedIn });
    for (const after of [
      approvePermissions(wider, locked, { reason: "for all customers", today }),
      prunePermissions(guarded, locked, today),
    ])
      assert.deepEqual(
        reviewPermissions(permissionsOf(read({ access: signedIn })), after)
          .widened.filter(({ isGone }) => isGone)
          .map(({ at }) => at),
        [`${key} guards`],
      );
  });

  test("an approval without a reason is refused", () => {
    assert.throws(() => approvePermissions(read(), [], { reason: " ", today }), {
      code: "CONTRACT_APPROVAL_INVALID",
    });
  });

  for (const [what, change] of Object.entries({
    "an unknown member": { extra: 1 },
    "no day": { recorded: "today" },
    "an approval without a reason": { approved: today },
    "nothing that is permitted": { permits: 7 },
  }))
    test(`${what} makes a line that can't be read`, () => {
      const entry = { at: "cors", permits: "https://a.example", recorded: "2026-11-22", ...change };
      assert.throws(() => parseLockedPermissions([entry]), { code: "CONTRACT_LOCK_INVALID" });
    });
});
