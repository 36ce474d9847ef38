import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { suite, test } from "node:test";
import type { ContractRoute } from "../../../contract/index.ts";
import { answerJson, openShop, startServer } from "./fixtures/plain-shop.ts";
import { createRetryBudget } from "./retry-budget.ts";

const unavailable = "GATEWAY_UPSTREAM_UNAVAILABLE";
const cut = (request: IncomingMessage): unknown => request.socket.destroy();
const mayBeRepeated = { method: "PUT", idempotent: true } as unknown as ContractRoute;

suite("a request that broke", () => {
  test("is sent again if it only reads, or its route says that it may be done twice", async (t) => {
    for (const request of [{}, { route: mayBeRepeated, body: { a: 1 } }]) {
      const server = await startServer(t);
      const good = server.answer;
      const shop = openShop(t, { url: new URL(`http://127.0.0.1:${server.port}`), retries: 1 });
      server.answer = (broken) => {
        server.answer = good;
        cut(broken);
      };
      assert.equal(await shop.tell(request), "127.0.0.1");
      assert.equal(server.asked.length, 2);
    }
  });

  test("is never sent again otherwise: it may have been done", async (t) => {
    for (const method of ["POST", "PUT", "PATCH", "DELETE"]) {
      const server = await startServer(t);
      server.answer = cut;
      const shop = openShop(t, {
        url: new URL(`http://127.0.0.1:${server.port}`),
        retries: 3,
        retryOn: [502, 503, 504],
      });
      assert.equal(await shop.tell({ method, body: {} }), unavailable);
      server.answer = (_, response) => answerJson(response, null, 503);
      assert.equal(await shop.tell({ method, body: {} }), 503);
      assert.equal(server.asked.length, 2);
    }
  });

  test("goes to another address first, and as often as declared", async (t) => {
    const servers = [await startServer(t), await startServer(t)];
    for (const server of servers) server.answer = cut;
    const [one, other] = servers.map(({ port }) => new URL(`http://127.0.0.1:${port}`)) as [URL, URL];
    const shop = openShop(t, { url: one, alternates: [other], retries: 3 });
    assert.equal(await shop.tell(), unavailable);
    assert.deepEqual(
      servers.map(({ asked }) => asked.length),
      [2, 2],
    );
  });

  test("is told of by the last answer; no part of an earlier one is taken for it", async (t) => {
    const server = await startServer(t);
    server.answer = (_, response) => {
      server.answer = (_request, last) => answerJson(last, { from: "the second" });
      answerJson(response, { from: "the first", much: "x".repeat(40_000) }, 502);
    };
    const url = new URL(`http://127.0.0.1:${server.port}`);
    assert.deepEqual(await openShop(t, { url, retries: 1, retryOn: [502] }).tell(), { from: "the second" });
    assert.equal(server.asked.length, 2);
  });

  test("keeps its answer for a status that is not declared, and for a broken body", async (t) => {
    const server = await startServer(t);
    const shop = openShop(t, {
      url: new URL(`http://127.0.0.1:${server.port}`),
      retries: 3,
      retryOn: [503],
    });
    for (const status of [500, 502, 504, 429]) {
      server.answer = (_, response) => answerJson(response, null, status);
      assert.equal(await shop.tell(), status);
    }
    server.answer = (request, response) => {
      response.writeHead(200, { "content-type": "application/json" }).write('{"a":');
      setImmediate(() => cut(request));
    };
    assert.equal(await shop.tell(), "GATEWAY_ANSWER_INVALID");
    assert.equal(server.asked.length, 5);
  });

  test("has no more time for all attempts than for one", async (t) => {
    const server = await startServer(t);
    const shop = openShop(
      t,
      { url: new URL(`http://127.0.0.1:${server.port}`), retries: 3 },
      // What is to be sent again waits for longer than anybody does.
      { schedule: () => () => undefined },
    );
    server.answer = cut;
    assert.equal(await shop.tell({ timeoutMs: 1000 }), "GATEWAY_UPSTREAM_TIMEOUT");
    assert.equal(server.asked.length, 1);
  });

  test("that nobody waits for any more is not sent again", async (t) => {
    const server = await startServer(t);
    const due: (() => void)[] = [];
    const shop = openShop(
      t,
      { url: new URL(`http://127.0.0.1:${server.port}`), retries: 3 },
      {
        schedule: (_, run) => {
          due.push(run);
          return () => undefined;
        },
      },
    );
    server.answer = cut;
    assert.equal(await shop.tell({ timeoutMs: 1000 }), "GATEWAY_UPSTREAM_TIMEOUT");
    for (const run of due) run();
    server.answer = (_, response) => answerJson(response, 1);
    assert.equal(await shop.tell(), 1);
    assert.equal(server.asked.length, 2);
  });
});

suite("an upstream that fails", () => {
  test("gets a tenth more requests at most, not a multiple of them", async (t) => {
    const server = await startServer(t);
    let count = 0;
    // One good answer now and then, or it would not be asked at all.
    server.answer = (request, response) => (++count % 4 === 0 ? answerJson(response, 1) : cut(request));
    const url = new URL(`http://127.0.0.1:${server.port}`);
    const shop = openShop(t, { url, retries: 3 }, { connections: 10 });
    for (let asked = 0; asked < 300; asked++) await shop.tell();
    assert.deepEqual(shop.ledger, []);
    assert.ok(server.asked.length > 300 && server.asked.length <= 300 + 10 + 30, `${server.asked.length}`);
  });

  test("has one repetition for ten requests, ten saved up", () => {
    const budget = createRetryBudget();
    const spend = (times: number): number =>
      Array.from({ length: times }, budget.spend).filter(Boolean).length;
    for (let count = 0; count < 1000; count++) budget.earn();
    assert.equal(spend(100), 10);
    for (let count = 0; count < 35; count++) budget.earn();
    assert.equal(spend(100), 3);
  });
});
