import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { z } from "zod";
import { everyone } from "../../contract/index.ts";
import { epoch, openShop } from "./fixtures/limited-shop.ts";
import { createLoadMeter } from "./load-meter.ts";

const plain = {
  access: everyone,
  limit: "6000/s per client",
  response: z.object({ id: z.string() }),
  to: "shop",
} as const;
const login = { ...plain, body: z.object({ email: z.string(), password: z.string() }) } as const;
const get = { target: "/api/a" };
const from = (number: number) => ({ ...get, client: `192.0.2.${number}` });
const attempt = (email: string, client = "192.0.2.1") => ({
  method: "POST",
  target: "/api/login",
  body: JSON.stringify({ email, password: "x" }),
  client,
});

suite("a pace", () => {
  const paced = (pace: "10/s per client, queue 4, wait 1s" | "10/s per route, queue 6, wait 2s") =>
    openShop({ routes: { "GET /api/a": { ...plain, pace } } });

  test("what comes at the pace does not wait", () => {
    const shop = paced("10/s per client, queue 4, wait 1s");
    for (let count = 0; count < 20; count++) {
      shop.send(get);
      assert.equal(shop.asked.length, count + 1);
      shop.clock.pass(100);
    }
  });

  test("what comes faster waits for its turn, in its order", () => {
    const shop = paced("10/s per client, queue 4, wait 1s");
    const sent = [1, 2, 3].map(() => shop.send(get));
    assert.equal(shop.asked.length, 1);
    shop.clock.pass(99);
    assert.equal(shop.asked.length, 1);
    shop.clock.pass(1);
    assert.equal(shop.asked.length, 2);
    shop.clock.pass(100);
    shop.answer();
    assert.deepEqual(
      sent.map(({ seen }) => seen?.status),
      [200, 200, 200],
    );
    assert.equal(shop.clock.due, 0);
  });

  test("what finds no place is refused at once, with 503 and a time to come back", () => {
    const shop = paced("10/s per client, queue 4, wait 1s");
    const sent = Array.from({ length: 7 }, () => shop.send(get));
    assert.deepEqual(
      sent.map(({ seen }) => seen?.code),
      [undefined, undefined, undefined, undefined, undefined, "GATEWAY_QUEUE_FULL", "GATEWAY_QUEUE_FULL"],
    );
    assert.deepEqual(sent[6]?.seen, { status: 503, code: "GATEWAY_QUEUE_FULL", retryAfter: 1 });
    assert.equal(shop.codes("gateway.request.refused").length, 2);
  });

  test("who has waited as long as it may is refused, though its turn would come", () => {
    const shop = openShop({
      routes: { "GET /api/a": { ...plain, pace: "1/s per route, queue 9, wait 1500ms" } },
    });
    const sent = [1, 2, 3].map((client) => shop.send(from(client)));
    shop.clock.pass(1500);
    assert.equal(shop.asked.length, 2);
    assert.deepEqual([sent[1]?.seen, sent[2]?.seen?.code], [undefined, "GATEWAY_QUEUE_FULL"]);
    // Who could not be served in time is not made to wait for nothing.
    const slow = openShop({
      routes: { "GET /api/a": { ...plain, pace: "1/min per client, queue 9, wait 2s" } },
    });
    slow.send(get);
    assert.deepEqual(slow.send(get).seen, { status: 503, code: "GATEWAY_QUEUE_FULL", retryAfter: 60 });
  });

  test("one client's flood takes none of another's turns", () => {
    const shop = paced("10/s per route, queue 6, wait 2s");
    for (let count = 0; count < 50; count++) shop.send(from(66));
    const honest = [shop.send(from(1)), shop.send(from(2))];
    shop.clock.pass(300);
    shop.answer();
    assert.deepEqual(
      honest.map(({ seen }) => seen?.status),
      [200, 200],
    );
  });

  test("a client that goes away leaves the queue, and the next takes its turn", () => {
    const shop = paced("10/s per client, queue 4, wait 1s");
    const sent = Array.from({ length: 4 }, () => shop.send(get));
    sent[1]?.abort();
    sent[2]?.abort();
    shop.clock.pass(100);
    shop.answer();
    assert.equal(sent[3]?.seen?.status, 200);
    assert.equal(shop.clock.due, 0);
    // What is under way is not called back by it.
    shop.clock.pass(100);
    const late = shop.send(get);
    late.abort();
    assert.equal(late.seen, undefined);
  });

  test("when the gateway closes those who wait are answered, and nobody waits any more", () => {
    const shop = paced("10/s per client, queue 4, wait 1s");
    const sent = Array.from({ length: 4 }, () => shop.send(get));
    shop.gateway.close();
    assert.deepEqual(
      sent.map(({ seen }) => seen?.status),
      [undefined, 503, 503, 503],
    );
    assert.equal(shop.send(get).seen?.status, 503);
    assert.equal(shop.clock.due, 0);
    shop.answer();
    assert.equal(sent[0]?.seen?.status, 200);
  });

  test("whatever comes and goes: the pace is kept, each is answered once, and nothing is left over", () => {
    const step = fc.record({
      act: fc.constantFrom("send", "send", "send", "pass", "abort"),
      client: fc.integer({ min: 1, max: 4 }),
      ms: fc.integer({ min: 0, max: 250 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const shop = paced("10/s per route, queue 6, wait 2s");
        const sent: ReturnType<typeof shop.send>[] = [];
        const times: number[] = [];
        const note = (): void => {
          while (times.length < shop.asked.length) times.push(shop.clock.now);
        };
        const pass = (ms: number): void => {
          for (let passed = 0; passed < ms; passed += 10) {
            shop.clock.pass(10);
            note();
          }
        };
        for (const { act, client, ms } of steps) {
          if (act === "send") sent.push(shop.send(from(client)));
          else if (act === "abort") sent[ms % Math.max(1, sent.length)]?.abort();
          else pass(ms);
          note();
        }
        pass(2100);
        for (const [index, time] of times.entries())
          if (index > 0) assert.ok(time - (times[index - 1] ?? 0) >= 90, times.join());
        shop.answer();
        assert.ok(sent.every(({ seen }) => seen !== undefined));
        assert.equal(shop.clock.due, 0);
      }),
    );
  });
});

suite("concurrency", () => {
  test("so many of a route are under way at once; each that ends makes room, however it ends", () => {
    const shop = openShop({ routes: { "GET /api/a": { ...plain, concurrency: 2 } } });
    shop.send(get);
    shop.send(get);
    assert.deepEqual(shop.send(get).seen, { status: 503, code: "GATEWAY_BUSY", retryAfter: 1 });
    shop.asked.shift()?.done({ kind: "failed", code: "GATEWAY_UPSTREAM_TIMEOUT", reason: "too late" });
    assert.equal(shop.send(get).seen, undefined);
    assert.equal(shop.send(get).seen?.code, "GATEWAY_BUSY");
    shop.answer(500);
    assert.equal(shop.send(get).seen, undefined);
    // A client that goes away makes no room: the upstream is at work still.
    shop.send(get).abort();
    assert.equal(shop.send(get).seen?.code, "GATEWAY_BUSY");
  });

  test("an upstream's is shared by its routes, and who is refused by one takes no room of the other", () => {
    const shop = openShop({
      concurrency: 3,
      routes: { "GET /api/a": { ...plain, concurrency: 2 }, "GET /api/b": plain },
    });
    shop.send(get);
    shop.send(get);
    for (let count = 0; count < 5; count++) assert.equal(shop.send(get).seen?.code, "GATEWAY_BUSY");
    assert.equal(shop.send({ target: "/api/b" }).seen, undefined);
    assert.equal(shop.send({ target: "/api/b" }).seen?.code, "GATEWAY_BUSY");
    shop.answer();
    const again = [get, get, { target: "/api/b" }].map((call) => shop.send(call).seen);
    assert.deepEqual(again, [undefined, undefined, undefined]);
  });

  test("a destination that throws leaves no place taken", () => {
    const shop = openShop({
      routes: { "GET /api/a": { ...plain, concurrency: 1 } },
      destinations: new Map([
        [
          "shop",
          () => {
            throw new TypeError("broken");
          },
        ],
      ]),
    });
    for (let count = 0; count < 3; count++) assert.equal(shop.send(get).seen?.code, "GATEWAY_FAILED");
  });
});

suite("failures", () => {
  const guarded = (
    failures: "3/h per client" | "3/h per body.email" | readonly ["3/h per client", "4/h per body.email"],
  ) => openShop({ routes: { "POST /api/login": { ...login, failures } } });

  test("whoever fails too often is refused before the upstream is asked, and told when to come back", () => {
    const shop = guarded("3/h per client");
    for (let count = 0; count < 3; count++) {
      shop.send(attempt("ada@bakery.test"));
      shop.answer(401);
    }
    const refused = shop.send(attempt("bob@bakery.test"));
    assert.deepEqual(refused.seen, { status: 429, code: "GATEWAY_FAILURES_REACHED", retryAfter: 1200 });
    assert.equal(shop.asked.length, 0);
    assert.equal(shop.send(attempt("ada@bakery.test", "192.0.2.2")).seen, undefined);
    shop.clock.pass(1_200_000);
    assert.equal(shop.send(attempt("ada@bakery.test")).seen, undefined);
  });

  test("who succeeds is never charged, however often, nor for what the upstream breaks", () => {
    const shop = guarded("3/h per client");
    for (const status of [200, 201, 404, 409, 500, 503, 200, 200, 200]) {
      shop.send(attempt("ada@bakery.test"));
      assert.equal(shop.asked.length, 1);
      shop.answer(status);
    }
    for (let count = 0; count < 9; count++) {
      shop.send(attempt("ada@bakery.test"));
      shop.asked.shift()?.done({ kind: "failed", code: "GATEWAY_UPSTREAM_UNAVAILABLE", reason: "down" });
    }
    assert.equal(shop.send(attempt("ada@bakery.test")).seen, undefined);
  });

  test("guesses that come all at once are no more than those that come one by one", () => {
    const shop = guarded("3/h per client");
    const sent = Array.from({ length: 100 }, () => shop.send(attempt("ada@bakery.test")));
    assert.equal(shop.asked.length, 3);
    assert.equal(sent.filter(({ seen }) => seen?.code === "GATEWAY_FAILURES_REACHED").length, 97);
  });

  test("one account is guarded against many addresses, however its name is written", () => {
    const shop = guarded("3/h per body.email");
    const names = ["ada@bakery.test", "ADA@bakery.test", " ａda@bakery.test "];
    for (const [index, name] of names.entries()) {
      shop.send(attempt(name, `192.0.2.${index}`));
      shop.answer(401);
    }
    assert.equal(shop.send(attempt("Ada@Bakery.Test", "192.0.2.9")).seen?.code, "GATEWAY_FAILURES_REACHED");
    assert.equal(shop.send(attempt("bob@bakery.test", "192.0.2.9")).seen, undefined);
  });

  test("who is refused by one limit is not charged by the others", () => {
    const shop = guarded(["3/h per client", "4/h per body.email"]);
    for (let count = 0; count < 50; count++) {
      shop.send(attempt("ada@bakery.test", "192.0.2.66"));
      shop.answer(401);
    }
    // The attacker's three are three of the account's four: its owner has one left, and then others wait too.
    shop.send(attempt("ada@bakery.test", "192.0.2.1"));
    shop.answer(200);
    shop.send(attempt("ada@bakery.test", "192.0.2.1"));
    shop.answer(401);
    assert.equal(shop.send(attempt("ada@bakery.test", "192.0.2.1")).seen?.code, "GATEWAY_FAILURES_REACHED");
  });

  test("other statuses count where they are declared, and a path's parameter names an account too", () => {
    const shop = openShop({
      routes: {
        "POST /api/login/:user": {
          ...login,
          params: { user: z.string().max(20) },
          failures: { limit: "1/h per params.user", statuses: [400] },
        },
      },
    });
    const call = (user: string) => ({ ...attempt("a@b.test"), target: `/api/login/${user}` });
    shop.send(call("ada"));
    shop.answer(401);
    shop.send(call("ada"));
    shop.answer(400);
    assert.equal(shop.send(call("Ada")).seen?.code, "GATEWAY_FAILURES_REACHED");
    assert.equal(shop.send(call("bob")).seen, undefined);
  });
});

suite("budgets", () => {
  const open = () =>
    openShop({
      more: { budgets: { mail: "10/h", money: "3/h" } },
      routes: {
        "GET /api/a": { ...plain, spends: { mail: 4 } },
        "GET /api/b": { ...plain, spends: { mail: 1, money: 1 } },
        "GET /api/c": plain,
      },
    });
  const b = { target: "/api/b" };

  test("all clients and routes together spend no more than there is, and one event tells of the end", () => {
    const shop = open();
    shop.send(from(1));
    shop.send(from(2));
    const refused = shop.send(from(3)).seen;
    assert.deepEqual(refused, { status: 503, code: "GATEWAY_BUDGET_EXHAUSTED", retryAfter: 720 });
    for (let count = 0; count < 20; count++) shop.send(from(count));
    assert.deepEqual(shop.codes("gateway.budget.exhausted"), [
      { type: "gateway.budget.exhausted", time: epoch, budget: "mail", route: "GET /api/a" },
    ]);
    // What costs less is still to be had, and what costs nothing always.
    assert.equal(shop.send(b).seen, undefined);
    assert.equal(shop.send({ target: "/api/c" }).seen, undefined);
    shop.clock.pass(3_600_000);
    assert.equal(shop.send(get).seen, undefined);
  });

  test("who can't pay for all of it pays for nothing", () => {
    const shop = open();
    for (let count = 0; count < 20; count++) shop.send(b);
    assert.equal(shop.asked.length, 3);
    // Seven of ten are left: one more at a cost of four, and not two.
    assert.equal(shop.send(get).seen, undefined);
    assert.equal(shop.send(get).seen?.code, "GATEWAY_BUDGET_EXHAUSTED");
  });
});

suite("load", () => {
  test("while too much waits for the upstream, requests are refused by priority, without an event for each", () => {
    const ticks: (() => void)[] = [];
    const events: unknown[] = [];
    const load = createLoadMeter({
      events: (event) => events.push(event),
      maxPending: 4,
      clock: () => 0,
      every: (_, run) => {
        ticks.push(run);
        return () => undefined;
      },
    });
    const shop = openShop({
      load,
      routes: {
        "GET /api/a": plain,
        "GET /api/low": { ...plain, priority: "low" },
        "GET /api/health": { ...plain, priority: "high" },
      },
    });
    const [low, health] = [{ target: "/api/low" }, { target: "/api/health" }];
    for (let count = 0; count < 4; count++) assert.equal(shop.send(get).seen, undefined);
    assert.deepEqual(shop.send(low).seen, { status: 503, code: "GATEWAY_OVERLOADED", retryAfter: 1 });
    for (let count = 0; count < 20; count++) shop.send(get);
    assert.ok(load.pending <= 8, `${load.pending}`);
    for (let count = 0; count < 5; count++) assert.equal(shop.send(health).seen, undefined);
    assert.equal(shop.events.length, 0);
    for (let count = 0; count < 200; count++) for (const tick of ticks) tick();
    assert.equal(events.length, 1);
    shop.answer();
    assert.equal(load.pending, 0);
    assert.equal(shop.send(low).seen, undefined);
  });
});

test("explain tells each limit where it is checked, and with what it is refused", () => {
  const { gateway } = openShop({
    concurrency: 9,
    more: { budgets: { mail: "10/h" } },
    routes: {
      "POST /api/login": {
        ...login,
        limit: ["30/min per client", "900/min per route"],
        pace: "10/s per client, queue 4, wait 1s",
        concurrency: 3,
        failures: "5/15min per client",
        spends: { mail: 1 },
        priority: "high",
      },
    },
  });
  const steps = gateway.explain("POST /api/login")?.steps ?? [];
  const checks = steps.map(({ check }) => check);
  assert.deepEqual(checks.slice(3, 6), ["limit by client", "limit by route", "pace"]);
  assert.deepEqual(checks.slice(-5, -2), ["under way", "failures", "budget"]);
  assert.match(steps.at(-5)?.passes ?? "", /3 of this route and 9 of all to shop/);
});
