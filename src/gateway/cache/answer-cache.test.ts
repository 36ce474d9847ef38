import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { z } from "zod";
import { everyone, ownerField, role, signedIn } from "../../contract/index.ts";
import { openCachedShop, jsonAnswer } from "./fixtures/cached-shop.ts";
import type { CachedShop } from "./fixtures/cached-shop.ts";

const response = z.object({ n: z.number() });
const cache = { seconds: 60 };
const open = (options: object = {}, more: Record<string, object> = {}): CachedShop =>
  openCachedShop({
    "GET /api/a": {
      access: everyone,
      response,
      query: { q: z.string().max(20).optional(), page: z.coerce.number().optional() },
      cache,
      ...options,
    },
    ...more,
  });
const failed = {
  kind: "failed",
  code: "GATEWAY_UPSTREAM_TIMEOUT",
  reason: "late",
} as const;

suite("an answer that is used again", () => {
  test("is the same until its time is over, and says how old it is", async () => {
    const shop = open();
    const first = await shop.call({ target: "/api/a" });
    assert.deepEqual(first.json(), { n: 1 });
    assert.equal(first.header("cache-status"), "curtainwall; fwd=miss; stored");
    assert.equal(first.header("age"), undefined);
    shop.clock.now += 59_999;
    const second = await shop.call({ target: "/api/a" });
    assert.deepEqual(second.json(), { n: 1 });
    assert.equal(second.header("age"), "59");
    assert.equal(second.header("cache-status"), "curtainwall; hit; ttl=0");
    assert.equal(second.header("cache-control"), "no-store", "browsers keep nothing");
    shop.clock.now += 1;
    assert.deepEqual((await shop.call({ target: "/api/a" })).json(), { n: 2 });
    shop.clock.now -= 70_000;
    assert.deepEqual((await shop.call({ target: "/api/a" })).json(), { n: 3 }, "the clock was set back");
  });

  test("is for another query another one, and for the same query written otherwise the same", async () => {
    const shop = open();
    for (const target of ["?q=a", "?q=b", "?q=%61", "?page=1&q=a", "?q=a&page=01", ""])
      await shop.call({ target: `/api/a${target}` });
    assert.deepEqual(
      shop.asked.map(({ target }) => target),
      ["/api/a?q=a", "/api/a?q=b", "/api/a?q=a&page=1", "/api/a"],
    );
  });

  test("HEAD, an ETag and the checks of a route work on it as on a new one", async () => {
    const shop = open({ etag: true, access: signedIn });
    const claims = { sub: "alice" };
    const tag = (await shop.call({ target: "/api/a", claims })).header("etag") as string;
    const again = await shop.call({ target: "/api/a", claims, headers: { "if-none-match": tag } });
    assert.equal(again.status, 304);
    assert.match(again.header("cache-status") ?? "", /hit/);
    assert.equal((await shop.call({ target: "/api/a", claims, method: "HEAD" })).status, 200);
    assert.equal((await shop.call({ target: "/api/a" })).status, 401);
    assert.equal((await shop.call({ target: "/api/a?z=1", claims })).status, 400);
    assert.equal(shop.asked.length, 1);
  });

  test("may be kept by browsers only where that is declared, found again by what the route takes", async () => {
    const headers = { "x-version": z.string().optional() };
    const shop = open({
      cache: { seconds: 60, browserSeconds: 30 },
      headers,
      cookies: { tint: z.string().optional() },
    });
    const reply = await shop.call({ target: "/api/a" });
    assert.equal(reply.header("cache-control"), "private, max-age=30");
    assert.equal(reply.header("vary"), "Origin, Authorization, x-version, cookie");
    assert.equal((await shop.call({ target: "/api/a?z=1" })).header("cache-control"), "no-store");
  });
});

suite("whose it is", () => {
  test("what was answered to one subject is not given to another, to nobody, or to itself with other roles", async () => {
    const shop = open({ visible: { field: "n", is: [1, 2, 3], unless: role("staff") } });
    const everybody = [
      { sub: "alice" },
      { sub: "bob" },
      undefined,
      { sub: "alice", roles: ["staff"] },
      { sub: 'alice",["staff"]' },
    ];
    for (let round = 0; round < 2; round++)
      for (const claims of everybody)
        await shop.call({ target: "/api/a", ...(claims === undefined ? {} : { claims }) });
    assert.equal(shop.asked.length, everybody.length);
  });

  test("ownership and visibility are judged for each request, of kept answers too", async () => {
    const shop = openCachedShop({
      "GET /api/orders": { access: ownerField("owner"), response: z.array(response), cache },
      "GET /api/drafts": {
        access: everyone,
        response: z.array(response),
        visible: { field: "state", is: ["public"] },
        cache,
      },
    });
    shop.answer = () => jsonAnswer([{ n: 1, owner: "alice" }]);
    const claims = { sub: "bob" };
    for (let round = 0; round < 2; round++)
      assert.equal((await shop.call({ target: "/api/orders", claims })).status, 404);
    shop.answer = () =>
      jsonAnswer([
        { n: 1, state: "draft" },
        { n: 2, state: "public" },
      ]);
    for (let round = 0; round < 2; round++)
      assert.deepEqual((await shop.call({ target: "/api/drafts" })).json(), [{ n: 2 }]);
    assert.equal(shop.asked.length, 2);
  });

  test("a path that only looks like a page's or a picture's is none of the API's (cache deception)", async () => {
    const shop = open({ access: signedIn });
    await shop.call({ target: "/api/a", claims: { sub: "alice" } });
    for (const target of [
      "/api/a/x.css",
      "/api/a.css",
      "/api/a;x.css",
      "/api/a%2fx.css",
      "/api/a%00.css",
      "/api/a/..%2fa",
    ]) {
      const { status } = await shop.call({ target });
      assert.ok(status === 400 || status === 404, `${target}: ${status}`);
    }
    assert.equal((await shop.call({ target: "/api/a" })).status, 401);
  });
});

suite("what is not kept", () => {
  const answers: [string, Parameters<typeof jsonAnswer>][] = [
    ["a broken contract", [{ n: "1" }]],
    ["404", [{}, {}, 404]],
    ["503", [{}, {}, 503]],
    ["201", [{ n: 1 }, {}, 201]],
    ["a cookie", [{ n: 1 }, { "set-cookie": ["a=b"] }]],
    ["no-store", [{ n: 1 }, { "cache-control": "no-store" }]],
    ["private", [{ n: 1 }, { "cache-control": "max-age=9, PRIVATE" }]],
    ["Vary: *", [{ n: 1 }, { vary: "*" }]],
    ["Vary on what is no part of the key", [{ n: 1 }, { vary: "accept, x-tenant" }]],
  ];
  for (const [name, args] of answers)
    test(name, async () => {
      const shop = open();
      shop.answer = () => jsonAnswer(...args);
      const first = await shop.call({ target: "/api/a" });
      assert.doesNotMatch(first.header("cache-status") ?? "", /stored/);
      assert.equal((await shop.call({ target: "/api/a" })).status, first.status);
      assert.equal(shop.asked.length, 2);
    });

  test("one that a check of the contract's own throws at: its request is refused, and not left waiting", async () => {
    const next = z.string().refine((address) => new URL(address).host === "a.example");
    const shop = open({ responseHeaders: { "x-next": next } });
    shop.answer = undefined;
    const replies = [shop.call({ target: "/api/a" }), shop.call({ target: "/api/a" })];
    const hostile = jsonAnswer({ n: 1 }, { "x-next": "no address" });
    shop.answer = () => hostile;
    shop.letGo(hostile);
    for (const reply of replies) assert.equal((await reply).status, 500);
    shop.answer = () => jsonAnswer({ n: 2 }, { "x-next": "https://a.example/" });
    assert.deepEqual((await shop.call({ target: "/api/a" })).json(), { n: 2 });
  });

  test("that there is nothing is remembered where that is declared", async () => {
    const shop = open({ cache: { seconds: 60, notFoundSeconds: 5 } });
    shop.answer = () => ({ kind: "answer", status: 404, value: undefined });
    for (let count = 0; count < 3; count++) assert.equal((await shop.call({ target: "/api/a" })).status, 404);
    assert.equal(shop.asked.length, 1);
    shop.clock.now += 5000;
    await shop.call({ target: "/api/a" });
    assert.equal(shop.asked.length, 2);
  });
});

suite("a herd", () => {
  const herd = (shop: CachedShop, count: number): Promise<Awaited<ReturnType<CachedShop["call"]>>[]> =>
    Promise.all(Array.from({ length: count }, () => shop.call({ target: "/api/a" })));

  test("asks once, and each is answered", async () => {
    const shop = open();
    shop.answer = undefined;
    const replies = herd(shop, 500);
    assert.equal(shop.asked.length, 1);
    shop.letGo(jsonAnswer({ n: 7 }));
    const statuses = (await replies).map(
      (reply) => `${reply.status} ${reply.body} ${reply.header("cache-status")}`,
    );
    assert.equal(
      statuses.filter((status) => status === '200 {"n":7} curtainwall; fwd=miss; stored; collapsed').length,
      499,
    );
  });

  test("shares a failure, so that an upstream that is down is not asked by each", async () => {
    const shop = open();
    shop.answer = undefined;
    const replies = herd(shop, 50);
    shop.letGo(failed);
    assert.ok((await replies).every(({ status }) => status === 504));
    assert.equal(shop.asked.length, 1);
  });

  test("shares nothing that may not be kept: each gets its own, and the next don't wait for one another", async () => {
    const shop = open();
    shop.answer = undefined;
    const replies = herd(shop, 10);
    let n = 0;
    shop.answer = () => jsonAnswer({ n: ++n }, { "set-cookie": "session=1" });
    shop.letGo(jsonAnswer({ n: 0 }, { "set-cookie": "session=0" }));
    const seen = (await replies).map((reply) => (reply.json() as { n: number }).n);
    assert.equal(new Set(seen).size, 10);
    shop.answer = undefined;
    const next = herd(shop, 5);
    assert.equal(shop.asked.length, 15);
    shop.letGo(jsonAnswer({ n: 1 }));
    await next;
  });

  test("of which one leaves is answered; when all have left the upstream is told", async () => {
    const shop = open();
    shop.answer = undefined;
    const leave = shop.askAndLeave("/api/a");
    const other = shop.call({ target: "/api/a" });
    leave();
    assert.equal(shop.left.length, 0);
    shop.letGo(jsonAnswer({ n: 1 }));
    assert.equal((await other).status, 200);
    const last = [shop.askAndLeave("/api/a?q=1"), shop.askAndLeave("/api/a?q=1")];
    for (const each of last) each();
    assert.equal(shop.left.length, 1);
    shop.answer = () => jsonAnswer({ n: 2 });
    assert.deepEqual((await shop.call({ target: "/api/a?q=1" })).json(), { n: 2 });
    assert.ok(shop.events.every(({ type }) => type !== "gateway.upstream.failed"));
  });
});

suite("while the upstream fails", () => {
  test("an old answer stands in for it for the declared time, and no longer", async () => {
    const shop = open({ cache: { seconds: 60, staleIfErrorSeconds: 600 } });
    await shop.call({ target: "/api/a" });
    shop.clock.now += 61_000;
    for (const answer of [() => failed, () => jsonAnswer({}, {}, 503)]) {
      shop.answer = answer;
      const reply = await shop.call({ target: "/api/a" });
      assert.deepEqual(reply.json(), { n: 1 });
      assert.equal(reply.header("cache-status"), "curtainwall; hit; ttl=-1; detail=stale-if-error");
    }
    shop.answer = () => jsonAnswer({}, {}, 404);
    assert.equal((await shop.call({ target: "/api/a" })).status, 404, "it is gone, and that is no failure");
    shop.answer = () => failed;
    shop.clock.now += 600_000;
    assert.equal((await shop.call({ target: "/api/a" })).status, 504);
  });

  test("not where the upstream said that it must be asked", async () => {
    for (const said of ["must-revalidate", "proxy-revalidate", "s-maxage=60", "stale-if-error=0"]) {
      const shop = open({ cache: { seconds: 60, staleIfErrorSeconds: 600 } });
      shop.answer = () => jsonAnswer({ n: 1 }, { "cache-control": said });
      await shop.call({ target: "/api/a" });
      shop.clock.now += 61_000;
      shop.answer = () => failed;
      assert.equal((await shop.call({ target: "/api/a" })).status, 504, said);
    }
  });
});

suite("what has changed", () => {
  const more = {
    "POST /api/a": { access: everyone, body: z.object({}), response },
    "GET /api/items/:id": { access: everyone, params: { id: z.string() }, response, cache },
    "DELETE /api/items/:item": { access: everyone, params: { item: z.string() }, response },
    "GET /api/b": { access: everyone, response, cache },
  };
  const change = (shop: CachedShop): Promise<unknown> =>
    shop.call({ method: "POST", target: "/api/a", body: "{}" });

  test("is asked for anew after an unsafe request to its path that was not refused (RFC 9111 §4.4)", async () => {
    for (const [answer, asks] of [
      [jsonAnswer({ n: 0 }, {}, 201), 3],
      [failed, 3],
      [jsonAnswer({}, {}, 422), 1],
    ] as const) {
      const shop = open({}, more);
      const ask = async (): Promise<void> => {
        for (const target of ["/api/a", "/api/a?q=1", "/api/b"]) await shop.call({ target });
      };
      await ask();
      const { answer: usual } = shop;
      shop.answer = () => answer;
      await change(shop);
      shop.answer = usual;
      await ask();
      // Three at first, the change, and what it made old.
      assert.equal(shop.asked.length, 3 + asks);
      assert.deepEqual(shop.forgotten, asks === 3 ? ["/api/a"] : []);
    }
  });

  test("also where paths have parameters, of that path alone, and when another thread tells", async () => {
    const shop = open({}, more);
    for (const target of ["/api/a", "/api/items/1", "/api/items/2"]) await shop.call({ target });
    await shop.call({ method: "DELETE", target: "/api/items/%31" });
    for (const target of ["/api/a", "/api/items/1", "/api/items/2"]) await shop.call({ target });
    assert.deepEqual(
      shop.asked.slice(3).map(({ route, target }) => `${route.method} ${target}`),
      ["DELETE /api/items/1", "GET /api/items/1"],
    );
    shop.gateway.forget("/api/a");
    await shop.call({ target: "/api/a" });
    assert.equal(shop.asked.length, 6);
  });

  test("an answer that was asked for before the change is not kept", async () => {
    const shop = open({}, more);
    shop.answer = undefined;
    const before = shop.call({ target: "/api/a" });
    shop.gateway.forget("/api/a");
    const after = shop.call({ target: "/api/a" });
    assert.equal(
      shop.asked.length,
      2,
      "who asks after the change does not wait for an answer from before it",
    );
    shop.letGo(jsonAnswer({ n: 1 }));
    await Promise.all([before, after]);
    const shopOfBefore = open({}, more);
    shopOfBefore.answer = undefined;
    const old = shopOfBefore.call({ target: "/api/a" });
    shopOfBefore.gateway.forget("/api/a");
    shopOfBefore.letGo(jsonAnswer({ n: 1 }));
    await old;
    shopOfBefore.answer = () => jsonAnswer({ n: 2 });
    assert.deepEqual((await shopOfBefore.call({ target: "/api/a" })).json(), { n: 2 });
  });

  test("nor one that was asked for alone, where others were each one's own", async () => {
    const shop = open({}, more);
    shop.answer = () => jsonAnswer({ n: 0 }, { "set-cookie": "a=b" });
    await shop.call({ target: "/api/a" });
    shop.answer = undefined;
    const before = shop.call({ target: "/api/a" });
    shop.gateway.forget("/api/a");
    shop.letGo(jsonAnswer({ n: 1 }));
    assert.equal((await before).header("cache-status"), "curtainwall; fwd=miss");
    shop.answer = () => jsonAnswer({ n: 2 });
    assert.deepEqual((await shop.call({ target: "/api/a" })).json(), { n: 2 });
  });

  test("is asked for anew too where one upstream reads what another writes", async () => {
    const shop = open({}, { ...more, "POST /api/a": { ...more["POST /api/a"], to: "writer" } });
    await shop.call({ target: "/api/a" });
    await change(shop);
    await shop.call({ target: "/api/a" });
    assert.equal(shop.asked.length, 3);
    assert.deepEqual(shop.forgotten, ["/api/a"]);
  });
});
