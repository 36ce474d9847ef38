import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { certificate, listen, skip } from "../../../../test/support/https-server.ts";
import { answerJson, openShop, startServer } from "./fixtures/plain-shop.ts";

const unavailable = "GATEWAY_UPSTREAM_UNAVAILABLE";
const eventsOf = (ledger: readonly { type: string }[]): string[] => ledger.map(({ type }) => type);

suite("an upstream's name", () => {
  test("is looked up once for all requests of half a minute, and stands in Host", async (t) => {
    const server = await startServer(t);
    const lookups: string[] = [];
    const shop = openShop(
      t,
      { url: new URL(`http://shop.example:${server.port}`), network: "loopback" },
      {
        lookup: async (host) => {
          lookups.push(host);
          return ["127.0.0.1"];
        },
      },
    );
    const answers = await Promise.all(Array.from({ length: 50 }, () => shop.tell()));
    assert.deepEqual(new Set(answers), new Set(["127.0.0.1"]));
    shop.clock.now += 29_000;
    await shop.tell();
    assert.deepEqual(lookups, ["shop.example"]);
    assert.equal(server.asked[0], `GET /api/orders shop.example:${server.port}`);
    shop.clock.now += 2000;
    await shop.tell();
    assert.equal(lookups.length, 2);
  });

  test("that leads to this machine, a private network or a metadata service is not followed unless that is declared", async (t) => {
    const server = await startServer(t);
    const elsewhere = [
      "127.0.0.1",
      "::ffff:127.0.0.1",
      "10.0.0.1",
      "169.254.169.254",
      "fd00:ec2::254",
      "::1",
    ];
    for (const [host, network] of [
      ["shop.example", undefined],
      ["shop.example", "public"],
      ["shop.internal", undefined],
      ["shop.internal", "private"],
    ] as const) {
      const url = new URL(`http://${host}:${server.port}`);
      const isPrivate = host === "shop.internal";
      const given = isPrivate
        ? [...elsewhere, "9.9.9.9"].filter((address) => address !== "10.0.0.1")
        : elsewhere;
      const shop = openShop(t, { url, network }, { lookup: async () => given });
      assert.equal(await shop.tell(), unavailable);
      assert.deepEqual(shop.ledger, [
        {
          type: "gateway.upstream.address.refused",
          time: shop.clock.now,
          upstream: "shop",
          host,
          addresses: given,
        },
      ]);
    }
    assert.deepEqual(server.asked, []);
  });

  test("that comes to mean something else (DNS rebinding) keeps its checked address, for ten minutes", async (t) => {
    const server = await startServer(t);
    let addresses = ["127.0.0.1"];
    const shop = openShop(
      t,
      { url: new URL(`http://shop.example:${server.port}`), network: "loopback" },
      { lookup: async () => addresses },
    );
    assert.equal(await shop.tell(), "127.0.0.1");
    addresses = ["169.254.169.254"];
    shop.clock.now += 31_000;
    assert.equal(await shop.tell(), "127.0.0.1");
    shop.clock.now += 31_000;
    assert.equal(await shop.tell(), "127.0.0.1");
    assert.deepEqual(new Set(eventsOf(shop.ledger)), new Set(["gateway.upstream.address.refused"]));
    shop.clock.now += 600_000;
    assert.equal(await shop.tell(), unavailable);
    addresses = ["127.0.0.1", "169.254.169.254"];
    shop.clock.now += 2000;
    assert.equal(await shop.tell(), "127.0.0.1");
  });

  test("that moves is followed; who is still answered at the old place is answered", async (t) => {
    const old = await startServer(t, { address: "127.0.0.2" });
    await startServer(t, { port: old.port });
    let addresses = ["127.0.0.2"];
    const shop = openShop(
      t,
      { url: new URL(`http://shop.example:${old.port}`), network: "loopback" },
      { lookup: async () => addresses },
    );
    const held = Promise.withResolvers<() => void>();
    old.answer = (_, response) => held.resolve(() => answerJson(response, "late"));
    const slow = shop.tell();
    const release = await held.promise;
    addresses = ["127.0.0.1"];
    shop.clock.now += 31_000;
    // Has it looked up again, behind this request.
    const between = shop.tell();
    while ((await Promise.race([shop.tell({ timeoutMs: 300 }), between])) !== "127.0.0.1");
    release();
    assert.equal(await slow, "late");
  });

  test("that can't be found is not asked for by each request, and is found as soon as it is there", async (t) => {
    const server = await startServer(t);
    let lookups = 0;
    let isThere = false;
    const shop = openShop(
      t,
      { url: new URL(`http://shop.example:${server.port}`), network: "loopback" },
      {
        lookup: async () => {
          lookups++;
          if (!isThere) throw new Error("ENOTFOUND");
          return ["127.0.0.1"];
        },
      },
    );
    for (let count = 0; count < 20; count++) assert.equal(await shop.tell(), unavailable);
    assert.equal(lookups, 1);
    isThere = true;
    shop.clock.now += 1000;
    assert.equal(await shop.tell(), "127.0.0.1");
  });

  test("that takes too long to be found costs no more than the route's time", async (t) => {
    const shop = openShop(
      t,
      { url: new URL("http://shop.example:1"), network: "loopback" },
      { lookup: () => new Promise(() => undefined) },
    );
    assert.equal(await shop.tell({ timeoutMs: 50 }), "GATEWAY_UPSTREAM_TIMEOUT");
  });

  test("must be the one in the certificate, wherever it leads", { skip }, async (t) => {
    const server = await listen(t, (_, response) => answerJson(response, 1));
    const url = new URL(server.origin);
    const { ca } = certificate;
    const named = openShop(
      t,
      { url: new URL(`https://shop.example:${server.port}`), network: "loopback" },
      { ca, lookup: async () => ["127.0.0.1"] },
    );
    assert.equal(await named.tell(), unavailable);
    assert.deepEqual(server.asked, []);
    assert.equal(await openShop(t, { url }, { ca }).tell(), 1);
  });

  test("of this machine is found by the system, whichever of its addresses is served", async (t) => {
    const server = await startServer(t);
    const shop = openShop(t, { url: new URL(`http://localhost:${server.port}`) });
    for (let count = 0; count < 5; count++) assert.equal(await shop.tell(), "127.0.0.1");
  });
});

suite("an upstream of several addresses", () => {
  test("has a request sent where the fewest are under way", async (t) => {
    const [one, other] = [await startServer(t), await startServer(t)];
    const held: (() => void)[] = [];
    one.answer = (_, response) => held.push(() => answerJson(response, "held"));
    const shop = openShop(t, {
      url: new URL(`http://127.0.0.1:${one.port}`),
      alternates: [new URL(`http://127.0.0.1:${other.port}`)],
    });
    // Whoever comes first: one of two requests lands at the one that holds them, all that follow do not.
    const both = [shop.tell(), shop.tell()];
    while (held.length === 0) await new Promise((resolve) => setImmediate(resolve));
    await Promise.race(both);
    for (let count = 0; count < 10; count++) assert.equal(await shop.tell(), "127.0.0.1");
    assert.equal(one.asked.length, 1);
    held[0]?.();
    assert.deepEqual(new Set(await Promise.all(both)), new Set(["127.0.0.1", "held"]));
  });

  test("uses all of them in turn while nothing is under way", async (t) => {
    const [one, other] = [await startServer(t), await startServer(t)];
    const shop = openShop(t, {
      url: new URL(`http://127.0.0.1:${one.port}`),
      alternates: [new URL(`http://127.0.0.1:${other.port}`)],
    });
    for (let count = 0; count < 10; count++) await shop.tell();
    assert.deepEqual([one.asked.length, other.asked.length], [5, 5]);
  });

  test("loses no request, of any method, to an address that nobody listens on, and leaves it alone for a while", async (t) => {
    const [dead, alive] = [await startServer(t), await startServer(t)];
    await dead.stop();
    const shop = openShop(t, {
      url: new URL(`http://127.0.0.1:${dead.port}`),
      alternates: [new URL(`http://127.0.0.1:${alive.port}`)],
    });
    for (let count = 0; count < 10; count++)
      assert.equal(await shop.tell({ method: "POST", body: { count } }), "127.0.0.1");
    assert.equal(alive.asked.length, 10);
    assert.deepEqual(
      shop.ledger.map((event) => ({ ...event, time: 0 })),
      [
        {
          type: "gateway.upstream.avoided",
          time: 0,
          upstream: "shop",
          address: `127.0.0.1:${dead.port}`,
          reason: "ECONNREFUSED",
          forMs: 1000,
        },
      ],
    );
    // It comes back, and is found out by one request.
    const back = await startServer(t, { port: dead.port });
    shop.clock.now += 1000;
    for (let count = 0; count < 4; count++) assert.equal(await shop.tell(), "127.0.0.1");
    assert.ok(back.asked.length >= 1);
    assert.deepEqual(eventsOf(shop.ledger), ["gateway.upstream.avoided", "gateway.upstream.restored"]);
  });

  test("is sent a request once, if it was sent: what broke on the way may have been done", async (t) => {
    const [one, other] = [await startServer(t), await startServer(t)];
    for (const server of [one, other]) server.answer = (request) => request.socket.destroy();
    const shop = openShop(t, {
      url: new URL(`http://127.0.0.1:${one.port}`),
      alternates: [new URL(`http://127.0.0.1:${other.port}`)],
    });
    assert.equal(await shop.tell({ method: "POST", body: {} }), unavailable);
    assert.equal(one.asked.length + other.asked.length, 1);
  });

  test("of which none can be connected to is unavailable at once, each tried once", async (t) => {
    const [one, other] = [await startServer(t), await startServer(t)];
    await one.stop();
    await other.stop();
    const shop = openShop(t, {
      url: new URL(`http://127.0.0.1:${one.port}`),
      alternates: [new URL(`http://127.0.0.1:${other.port}`)],
    });
    assert.equal(await shop.tell(), unavailable);
    assert.deepEqual(eventsOf(shop.ledger), ["gateway.upstream.avoided", "gateway.upstream.avoided"]);
  });
});

suite("an address that fails", () => {
  test("is sent nothing after five failures in a row, then one request, which decides", async (t) => {
    const server = await startServer(t);
    const good = server.answer;
    server.answer = (_, response) => answerJson(response, null, 503);
    const shop = openShop(t, { url: new URL(`http://127.0.0.1:${server.port}`) });
    for (let count = 0; count < 5; count++) assert.equal(await shop.tell(), 503);
    assert.equal(await shop.tell(), unavailable);
    assert.equal(server.asked.length, 5);

    shop.clock.now += 1000;
    assert.deepEqual((await Promise.all([shop.tell(), shop.tell(), shop.tell()])).map(String).toSorted(), [
      "503",
      unavailable,
      unavailable,
    ]);
    shop.clock.now += 1999;
    assert.equal(await shop.tell(), unavailable);
    server.answer = good;
    shop.clock.now += 1;
    assert.equal(await shop.tell(), "127.0.0.1");
    assert.deepEqual(await Promise.all([shop.tell(), shop.tell()]), ["127.0.0.1", "127.0.0.1"]);
    assert.deepEqual(eventsOf(shop.ledger), [
      "gateway.upstream.avoided",
      "gateway.upstream.avoided",
      "gateway.upstream.restored",
    ]);
  });

  test("is not one that is slow, refuses, or answers in between: no client can have the others refused by such requests", async (t) => {
    const server = await startServer(t);
    const shop = openShop(t, { url: new URL(`http://127.0.0.1:${server.port}`) });
    server.answer = () => undefined;
    // Time enough for it to be asked, also on a machine that is busy: what was never sent says nothing of it.
    for (let count = 0; count < 8; count++)
      assert.equal(await shop.tell({ timeoutMs: 300 }), "GATEWAY_UPSTREAM_TIMEOUT");
    server.answer = (_, response) => answerJson(response, null, 500);
    for (let count = 0; count < 8; count++) assert.equal(await shop.tell(), 500);
    for (let count = 0; count < 20; count++) {
      server.answer = (request, response) =>
        count % 5 === 0 ? answerJson(response, 1) : request.socket.destroy();
      await shop.tell();
    }
    assert.equal(server.asked.length, 36);
    assert.deepEqual(shop.ledger, []);
  });
});
