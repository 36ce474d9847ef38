import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { z } from "zod";
import { everyone, form, none, parseContract, permissionsOf } from "../src/contract/index.ts";
import { defineStack, upstream } from "../src/contract/index.ts";
import type { SecurityEvent } from "../src/contract/index.ts";
import { ask } from "../src/edge/node/test-edge.ts";
import type { Answer, Ask } from "../src/edge/node/test-edge.ts";
import { startGuardedApi } from "./support/guarded-api.ts";
import type { GuardedApi } from "./support/guarded-api.ts";

// The same requests on the same routes, observed and enforced, through a real edge to a real upstream.

const dayMs = 86_400_000;
const present = Date.now();
const until = new Date(present + 10 * dayMs).toISOString().slice(0, 10);
const insecureObserve = { until, reason: "the shop's clients are being looked at" };

const Order = z.object({ count: z.int().max(9) });
const Answered = z.object({ name: z.string() });
const base = { access: everyone, limit: "1000/min per client", to: "shop" } as const;
const options = {
  "GET /KEY/items/:id": {
    ...base,
    params: { id: z.uuid() },
    query: { page: z.coerce.number().int().optional(), tag: z.array(z.string().max(3)).optional() },
    headers: { "x-version": z.enum(["1", "2"]).optional() },
    cookies: { theme: z.enum(["light"]).optional() },
    response: Answered,
  },
  "POST /KEY/orders": { ...base, body: Order, maxBodyBytes: 200, response: Answered },
  "POST /KEY/form": { ...base, body: form({ a: z.string().max(3) }), response: Answered },
  "POST /KEY/empty": { ...base, body: none, response: none },
  "GET /KEY/often": { ...base, limit: "1/h per client", response: Answered },
};
const routes = Object.fromEntries(
  Object.entries(options).flatMap(([key, route]) => [
    [key.replace("KEY", "enforced"), route],
    [key.replace("KEY", "observed"), { ...route, insecureObserve }],
  ]),
);

type Observed = Extract<SecurityEvent, { type: "gateway.request.observed" }>;
const isObserved = (event: SecurityEvent): event is Observed => event.type === "gateway.request.observed";

interface Pair {
  readonly api: GuardedApi;
  readonly clock: { now: number };
  /** What the observed route answers, and what the enforced one. @param path without its first part */
  both(request: Ask & { path: string }): Promise<{ observed: Answer; enforced: Answer }>;
  codes(): (readonly [string, unknown])[];
}

async function start(context: TestContext, stack: object = {}): Promise<Pair> {
  const clock = { now: present };
  const api = await startGuardedApi(context, routes, { stack, now: () => clock.now });
  api.upstream.answer = (_, response) =>
    void response.setHeader("content-type", "application/json").end('{"name":"Rye"}');
  const call = (first: string, request: Ask & { path: string }): Promise<Answer> =>
    ask("http/1.1", api.port, { ...request, path: `/${first}${request.path}` });
  return {
    api,
    clock,
    both: async (request) => ({
      observed: await call("observed", request),
      enforced: await call("enforced", request),
    }),
    codes: () =>
      api.ledger.flatMap((event) =>
        event.type === "gateway.request.observed" ? [[event.route ?? "", event.code] as const] : [],
      ),
  };
}

const json = (body: unknown): Pick<Ask, "method" | "headers" | "body"> => {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return {
    method: "POST",
    headers: { "content-type": "application/json", "content-length": Buffer.byteLength(text) },
    body: text,
  };
};

suite("An observed route", () => {
  test("lets pass, as it came, what the enforced one refuses, and tells which fields", async (context) => {
    const { api, both } = await start(context);
    const good = await both({
      path: "/items/7a0e2d3e-8d5c-4a39-9a52-1d7d3f6c2b11?page=2&tag=a",
      headers: { "x-version": "1", cookie: "theme=light; other=1" },
    });
    assert.deepEqual([good.observed.status, good.enforced.status], [200, 200]);
    assert.equal(api.ledger.length, 0);
    const cases: readonly [Ask & { path: string }, string][] = [
      [{ path: "/items/rye" }, "/observed/items/rye"],
      [
        { path: "/items/a%20b?page=x&page=y&further=%C3%A9+1" },
        "/observed/items/a%20b?page=x&page=y&further=%C3%A9+1",
      ],
      [
        {
          path: "/items/7a0e2d3e-8d5c-4a39-9a52-1d7d3f6c2b11?tag=long",
          headers: { "x-version": "3", cookie: "theme=dark; other=1" },
        },
        "/observed/items/7a0e2d3e-8d5c-4a39-9a52-1d7d3f6c2b11?tag=long",
      ],
    ];
    for (const [request, target] of cases) {
      api.upstream.seen.length = 0;
      const { observed, enforced } = await both(request);
      assert.deepEqual([observed.status, enforced.status], [200, 400], request.path);
      assert.deepEqual(
        api.upstream.seen.map((seen) => seen.target),
        [target],
      );
    }
    const last = api.upstream.seen[0]?.headers ?? [];
    assert.equal(last[last.indexOf("x-version") + 1], "3");
    assert.equal(last[last.indexOf("cookie") + 1], "theme=dark");
    const event = api.ledger.find(isObserved);
    assert.ok(event !== undefined);
    assert.deepEqual(
      [event.route, event.code, event.fields, event.count, event.until],
      ["GET /observed/items/:id", "GATEWAY_INPUT_INVALID", ["params/id"], 1, until],
    );
    assert.doesNotMatch(JSON.stringify(api.ledger), /rye|dark|long/, "no value");
  });

  test("lets pass bodies that are not as declared", async (context) => {
    const { api, both, codes } = await start(context);
    for (const [path, request, body] of [
      ["/orders", json({ count: 70, note: "x" }), '{"count":70,"note":"x"}'],
      [
        "/form",
        {
          ...json("a=long&b=1&b=2"),
          headers: { "content-type": "application/x-www-form-urlencoded", "content-length": 14 },
        },
        "a=long&b=1&b=2",
      ],
      ["/empty", json({ a: 1 }), '{"a":1}'],
    ] as const) {
      api.upstream.seen.length = 0;
      const { observed, enforced } = await both({ path, ...request });
      assert.equal(enforced.status, 400, path);
      assert.ok(observed.status === 200, `${path}: ${observed.status}`);
      assert.deepEqual(
        api.upstream.seen.map((seen) => seen.body),
        [body],
      );
    }
    assert.deepEqual(codes(), [
      ["POST /observed/orders", "GATEWAY_INPUT_INVALID"],
      ["POST /observed/form", "GATEWAY_INPUT_INVALID"],
      ["POST /observed/empty", "GATEWAY_BODY_UNEXPECTED"],
      // Its answer has a body too, which was not declared.
      ["POST /observed/empty", "GATEWAY_ANSWER_INVALID"],
    ]);
  });

  test("lets pass what comes too often", async (context) => {
    const { both, codes } = await start(context);
    await both({ path: "/often" });
    const { observed, enforced } = await both({ path: "/often" });
    assert.deepEqual([observed.status, enforced.status], [200, 429]);
    assert.deepEqual(codes(), [["GET /observed/often", "GATEWAY_LIMIT_REACHED"]]);
  });

  test("lets pass answers that are not as declared, to the letter, but for what its name says must not leave", async (context) => {
    const { api, both, codes } = await start(context);
    const path = "/items/7a0e2d3e-8d5c-4a39-9a52-1d7d3f6c2b11";
    const say = (text: string, status = 200): void => {
      api.upstream.answer = (_, response) =>
        void response.writeHead(status, { "content-type": "application/json" }).end(text);
    };
    say('{"name":"Rye", "price":1.10}');
    const more = await both({ path });
    assert.equal(String(more.observed.body), '{"name":"Rye", "price":1.10}');
    assert.equal(String(more.enforced.body), '{"name":"Rye"}');
    say('{"name":7,"owner":{"passwordHash":"$2b$","age":1.50}}');
    const wrong = await both({ path });
    assert.equal(String(wrong.observed.body), '{"name":7,"owner":{"age":1.50}}');
    assert.equal(wrong.enforced.status, 502);
    say('{"error":"sold out"}', 409);
    const refused = await both({ path });
    assert.deepEqual([refused.observed.status, String(refused.observed.body)], [409, '{"error":"sold out"}']);
    assert.equal(refused.enforced.status, 422);
    say("<p>Gone", 404);
    const gone = await both({ path });
    assert.deepEqual([gone.observed.status, gone.enforced.status], [404, 404]);
    say('{"stack":"at x.js:1"}', 500);
    const broken = await both({ path });
    assert.deepEqual([broken.observed.status, broken.enforced.status], [502, 502]);
    assert.deepEqual(codes(), [["GET /observed/items/:id", "GATEWAY_ANSWER_INVALID"]]);
    const trimmed = api.ledger.find(
      (event) => event.type === "gateway.answer.trimmed" && event.route === "GET /observed/items/:id",
    );
    assert.deepEqual(trimmed?.type === "gateway.answer.trimmed" && trimmed.fields, ["/owner/passwordHash"]);
  });

  test("never lets pass what servers read in different ways, what is too large, and what has a canary", async (context) => {
    const { api, both } = await start(context, { leaks: { canaries: ["canary-00000000"] } });
    const uuid = "/items/7a0e2d3e-8d5c-4a39-9a52-1d7d3f6c2b11";
    const refused: readonly (readonly [number, Ask & { path: string }])[] = [
      [400, { path: `${uuid}?__proto__[x]=1` }],
      [400, { path: `${uuid}?a=%00` }],
      [400, { path: `${uuid}?a=%ff` }],
      [400, { path: `${uuid}?%61[constructor][prototype]=1` }],
      [400, { path: "/items/a%2Fb" }],
      [400, { path: uuid, headers: { cookie: "theme=dark; theme=light" } }],
      [400, { path: "/orders", ...json('{"count":1,"count":2}') }],
      [400, { path: "/orders", ...json('{"__proto__":{}}') }],
      [400, { path: "/orders", ...json('{"count":12345678901234567890}') }],
      [413, { path: "/orders", ...json({ note: "x".repeat(300) }) }],
      [415, { path: "/orders", ...json({}), headers: { "content-type": "text/plain", "content-length": 2 } }],
      [403, { path: uuid, headers: { origin: "https://evil.example" } }],
      [405, { path: uuid, method: "DELETE" }],
    ];
    for (const [status, request] of refused) {
      const { observed, enforced } = await both(request);
      assert.deepEqual([observed.status, enforced.status], [status, status], JSON.stringify(request));
    }
    assert.deepEqual(api.upstream.seen, []);
    api.upstream.answer = (_, response) =>
      void response.setHeader("content-type", "application/json").end('{"name":"Rye","x":"canary-00000000"}');
    const leak = await both({ path: uuid });
    assert.deepEqual([leak.observed.status, leak.enforced.status], [502, 200]);
  });

  test("enforces by itself when its last day is over", async (context) => {
    const { clock, both } = await start(context);
    const request = { path: "/items/rye" };
    clock.now = Date.parse(`${until}T23:59:59.999Z`);
    assert.equal((await both(request)).observed.status, 200);
    clock.now += 1;
    const { observed, enforced } = await both(request);
    assert.deepEqual([observed.status, enforced.status], [400, 400]);
  });
});

suite("In the contract", () => {
  const parsing = (more: object): (() => unknown) => {
    const given: object = {
      routes: { "POST /api/orders": { ...base, body: Order, response: Answered, ...more } },
    };
    const shop = upstream({ url: "https://shop.example" });
    return () =>
      parseContract(defineStack({ origin: "https://www.bakery.example", upstreams: { shop }, ...given }));
  };

  test("observing takes a reason and a day that is near", () => {
    const invalid = { code: "CONTRACT_OPTION_INVALID" };
    assert.throws(parsing({ insecureObserve: { until } }), { code: "CONTRACT_REASON_MISSING" });
    for (const day of [
      "soon",
      "2026-02-30",
      new Date(present + 92 * dayMs).toISOString().slice(0, 10),
      20_261_231,
      undefined,
    ])
      assert.throws(parsing({ insecureObserve: { ...insecureObserve, until: day } }), invalid, String(day));
    assert.throws(parsing({ insecureObserve: { ...insecureObserve, codes: [] } }), {
      code: "CONTRACT_OPTION_UNKNOWN",
    });
    // A stack that is started again on the day after must start.
    parsing({ insecureObserve: { ...insecureObserve, until: "2020-01-01" } })();
  });

  test("it does not stand with what counts or asks by what the request says", () => {
    assert.throws(parsing({ insecureObserve, failures: "5/15min per body.count" }), {
      code: "CONTRACT_OPTION_INVALID",
    });
    parsing({ insecureObserve, failures: "5/15min per client" })();
  });

  test("it is a weakening, and permits more", () => {
    const contract = parsing({ insecureObserve })() as ReturnType<typeof parseContract>;
    assert.deepEqual(contract.weakenings, [
      { at: 'routes["POST /api/orders"].insecureObserve', reason: insecureObserve.reason },
    ]);
    const told = permissionsOf(contract).map(({ at }) => at);
    assert.ok(told.includes("POST /api/orders observe, day"));
  });
});
