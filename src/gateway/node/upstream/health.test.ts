import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { answerJson, openShop, startServer } from "./fixtures/plain-shop.ts";
import type { PlainServer, PlainShop } from "./fixtures/plain-shop.ts";

const health = { path: "/healthz", everyMs: 5000 };
const isProbe = (request: IncomingMessage): boolean => request.url === "/healthz";

interface WatchedShop extends PlainShop {
  /** Lets the time between two rounds pass; resolves when the round is over. */
  round(): Promise<void>;
}

/** A shop whose health checks run when a test says so. The first round is over when it is returned. */
async function watch(t: TestContext, urls: readonly URL[]): Promise<WatchedShop> {
  let isDue = Promise.withResolvers<() => void>();
  const [url, ...alternates] = urls as [URL, ...URL[]];
  const shop = openShop(
    t,
    { url, alternates, health },
    {
      schedule(_, run) {
        isDue.resolve(run);
        return () => undefined;
      },
    },
  );
  await isDue.promise;
  return {
    ...shop,
    async round() {
      const run = await isDue.promise;
      isDue = Promise.withResolvers();
      run();
      await isDue.promise;
    },
  };
}

const urlOf = ({ port }: PlainServer): URL => new URL(`http://127.0.0.1:${port}`);
const requestsOf = ({ asked }: PlainServer): string[] => asked.filter((line) => !line.includes("/healthz"));

test("an address whose health check fails twice gets no request, until it is well again", async (t) => {
  const [ill, well] = [await startServer(t), await startServer(t)];
  let isWell = true;
  ill.answer = (request, response) =>
    isProbe(request) ? answerJson(response, {}, isWell ? 204 : 503) : answerJson(response, "ill");
  const shop = await watch(t, [urlOf(ill), urlOf(well)]);
  isWell = false;
  await shop.round();
  // Once is no reason.
  assert.deepEqual(shop.ledger, []);
  await shop.round();
  assert.deepEqual(shop.ledger, [
    {
      type: "gateway.upstream.avoided",
      time: shop.clock.now,
      upstream: "shop",
      address: `127.0.0.1:${ill.port}`,
      reason: "its health check answers 503",
    },
  ]);
  shop.clock.now += 60_000;
  for (let count = 0; count < 6; count++) assert.equal(await shop.tell(), "127.0.0.1");
  assert.deepEqual(requestsOf(ill), []);
  isWell = true;
  await shop.round();
  const answers = [await shop.tell(), await shop.tell()];
  assert.ok(answers.includes("ill"));
  assert.deepEqual(
    shop.ledger.map(({ type }) => type),
    ["gateway.upstream.avoided", "gateway.upstream.restored"],
  );
});

test("no client's request finds out whether an address that failed works again", async (t) => {
  const server = await startServer(t);
  const good = server.answer;
  server.answer = (request, response) =>
    isProbe(request) ? good(request, response) : request.socket.destroy();
  const shop = await watch(t, [urlOf(server)]);
  for (let count = 0; count < 5; count++) await shop.tell();
  shop.clock.now += 60_000;
  for (let count = 0; count < 5; count++) assert.equal(await shop.tell(), "GATEWAY_UPSTREAM_UNAVAILABLE");
  assert.equal(requestsOf(server).length, 5);
  await shop.round();
  server.answer = good;
  assert.equal(await shop.tell(), "127.0.0.1");
});

test("redirects, endless answers and broken ones are judged by their first line, and cost no more", async (t) => {
  const server = await startServer(t);
  const shop = await watch(t, [urlOf(server)]);
  server.answer = (request, response) => {
    if (!isProbe(request)) return answerJson(response, 1);
    response.writeHead(200).write("x".repeat(1_000_000));
  };
  await shop.round();
  await shop.round();
  assert.equal(await shop.tell(), 1);
  server.answer = (_, response) => response.writeHead(302, { location: "/elsewhere" }).end();
  await shop.round();
  await shop.round();
  assert.equal(await shop.tell(), "GATEWAY_UPSTREAM_UNAVAILABLE");
  assert.ok(server.asked.every((line) => !line.includes("elsewhere")));
});

test("slow requests that hold all connections don't make an address look ill", async (t) => {
  const server = await startServer(t);
  server.answer = (request, response) => {
    if (isProbe(request)) answerJson(response, {});
  };
  const shop = await watch(t, [urlOf(server)]);
  const slow = Array.from({ length: 80 }, () => shop.tell({ timeoutMs: 1500 }));
  await shop.round();
  await shop.round();
  assert.deepEqual(shop.ledger, []);
  assert.deepEqual(new Set(await Promise.all(slow)), new Set(["GATEWAY_UPSTREAM_TIMEOUT"]));
});
