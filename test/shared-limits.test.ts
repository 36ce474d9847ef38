import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { ServerResponse } from "node:http";
import { Agent, request } from "node:https";
import type { AddressInfo } from "node:net";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { z } from "zod";
import { defineStack, everyone, parseContract, upstream } from "../src/contract/index.ts";
import { ask, host, openHttp2, openRaw, startEdge } from "../src/edge/node/test-edge.ts";
import type { Protocol } from "../src/edge/node/test-edge.ts";
import { createGateway, createLimitMemory, createLimitStore } from "../src/gateway/index.ts";
import { startStack } from "../src/stack/index.ts";
import type { RunningStack } from "../src/stack/index.ts";
import { redis, startRedis } from "./support/redis-server.ts";
import { makeProject } from "./support/project.ts";

// Whole stacks: real processes, threads and HTTP, and one client that sends ten times what it may.

const limit = 60;

/** What stands behind them: answers at once, but below `/slow` only when the test says so. */
async function startUpstream(context: TestContext) {
  const held: ServerResponse[] = [];
  let asked = 0;
  const answer = (response: ServerResponse): void =>
    void response.setHeader("content-type", "application/json").end('{"id":"1"}');
  const server = createServer((incoming, response) => {
    asked++;
    if (incoming.url === "/api/slow") held.push(response);
    else answer(response);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    port: (server.address() as AddressInfo).port,
    held,
    get asked() {
      return asked;
    },
    letGo(): void {
      for (const response of held.splice(0)) answer(response);
    },
  };
}

interface HostOptions {
  upstreamPort: number;
  threads: number;
  limits?: string;
}

/** One host of a site. */
async function startHost(context: TestContext, { upstreamPort, threads, limits = "" }: HostOptions) {
  // Exactly so many, however slow this machine is at the moment: nothing is refused for load.
  const route = `access: everyone, priority: "high", response: z.object({ id: z.string() }), to: "shop"`;
  const project = await makeProject({
    config: `import { defineStack, everyone, redis, upstream } from "curtainwall";
import { z } from "zod";
export default defineStack({
  origin: "https://localhost",
  edge: { port: 0, redirectPort: false, threads: ${threads} },
  ${limits}
  budgets: { mail: "7/h" },
  upstreams: { shop: upstream({ url: "http://127.0.0.1:${upstreamPort}", insecureAllowHttp: "a test's own server" }) },
  routes: {
    "GET /api/limited": { ${route}, limit: "${limit}/h per client" },
    "GET /api/slow": { ${route}, limit: "9000/s per client", concurrency: 5 },
    "GET /api/mail": { ${route}, limit: "9000/s per client", spends: { mail: 1 } },
    "GET /api/paced": { ${route}, limit: "9000/s per client", pace: "1/min per client, queue 20, wait 60s" },
    "GET /api/other": { ${route}, limit: "9000/s per client" },
    "POST /api/login": {
      ${route}, limit: "9000/s per client", body: z.object({ email: z.string() }), failures: "3/h per body.email",
    },
  },
});`,
  });
  context.after(() => project.remove());
  const stack = await startStack({ path: project.root, log: () => undefined, graceMs: 3000 });
  context.after(() => stack.close());
  const ca = readFileSync(stack.caFile ?? assert.fail("no development authority"));
  const agents = Array.from({ length: 24 }, () => new Agent({ ca, keepAlive: true, maxSockets: 1 }));
  context.after(() => {
    for (const agent of agents) agent.destroy();
  });
  let turn = 0;
  const ask = (path: string, body?: string): Promise<number> =>
    new Promise((resolve, reject) => {
      const agent = agents[turn++ % agents.length] as Agent;
      const headers = {
        host: "localhost",
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      };
      const method = body === undefined ? "GET" : "POST";
      const outgoing = request({
        host: "127.0.0.1",
        servername: "localhost",
        port: stack.port,
        path,
        method,
        headers,
        agent,
      });
      outgoing.on("error", reject);
      outgoing.on("response", (response) => {
        response.resume().on("end", () => resolve(response.statusCode ?? 0));
      });
      outgoing.end(body);
    });
  return { stack, ask, events: () => eventsOf(stack) };
}

function eventsOf(stack: RunningStack): string[] {
  const lines = readFileSync(stack.folders.logFile, "utf8").trim().split("\n");
  return lines.map((line) => String((JSON.parse(line) as { event: unknown }).event));
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await pause(20);
}

function countOf(statuses: readonly number[]): Record<number, number> {
  const counts: Record<number, number> = {};
  for (const status of statuses) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

suite("a pace over real connections", { timeout: 120_000 }, () => {
  for (const protocol of ["http/1.1", "h2"] as const)
    test(`who hangs up while it waits leaves its place to others (${protocol})`, async (context) => {
      const contract = parseContract(
        defineStack({
          origin: `https://${host}`,
          upstreams: { shop: upstream({ url: "https://shop.bakery.test" }) },
          routes: {
            "GET /api/a": {
              access: everyone,
              limit: "9000/s per client",
              pace: "1/min per client, queue 2, wait 60s",
              response: z.object({ id: z.string() }),
              to: "shop",
            },
          },
        }),
      );
      const gateway = createGateway({
        contract,
        limits: createLimitStore(createLimitMemory()),
        events: () => undefined,
        destinations: new Map([
          ["shop", (_, done) => done({ kind: "answer", status: 200, value: { id: "1" } })],
        ]),
      });
      let came = 0;
      let left = 0;
      const { port } = await startEdge(context, {
        api: {
          matches: (path) => gateway.matches(path),
          handle(incoming, respond) {
            came++;
            gateway.handle(incoming, (answer) => {
              left++;
              respond(answer);
            });
          },
        },
      });
      const path = "/api/a";
      assert.equal((await ask(protocol, port, { path })).status, 200);
      // Two wait: the queue is full for a third.
      const hangUp = await Promise.all([1, 2].map(() => openAndWait(protocol, port, path)));
      await until(() => came === 3);
      assert.equal((await ask(protocol, port, { path })).status, 503);
      for (const end of hangUp) end();
      await until(() => left === 4);
      const waiting = [ask(protocol, port, { path }), ask(protocol, port, { path })];
      await until(() => came === 6);
      assert.equal(left, 4);
      gateway.close();
      assert.deepEqual(
        (await Promise.all(waiting)).map(({ status }) => status),
        [503, 503],
      );
    });
});

/** Sends a request that is not answered yet, and gives what hangs up. */
async function openAndWait(protocol: Protocol, port: number, path: string): Promise<() => void> {
  if (protocol === "h2") {
    const session = openHttp2(port);
    const stream = session.request({ ":path": path, ":authority": host });
    stream.on("error", () => undefined);
    await new Promise<void>((resolve) => session.ping(() => resolve()));
    return () => stream.close();
  }
  const socket = await openRaw(port);
  socket.write(`GET ${path} HTTP/1.1\r\nhost: ${host}\r\n\r\n`);
  return () => socket.destroy();
}

suite("two threads of one host", { timeout: 120_000 }, () => {
  test("count together: limits, budgets and who is under way; nothing leaks, and a stop answers those who wait", async (context) => {
    const upstream = await startUpstream(context);
    const host = await startHost(context, { upstreamPort: upstream.port, threads: 2 });
    const burst = (path: string, count: number): Promise<number[]> =>
      Promise.all(Array.from({ length: count }, () => host.ask(path)));

    assert.deepEqual(countOf(await burst("/api/limited", limit * 10)), { 200: limit, 429: limit * 9 });
    assert.equal(upstream.asked, limit);
    assert.deepEqual(countOf(await burst("/api/mail", 70)), { 200: 7, 503: 63 });

    for (let round = 0; round < 3; round++) {
      const statuses: number[] = [];
      const slow = Array.from({ length: 24 }, () =>
        host.ask("/api/slow").then((status) => void statuses.push(status)),
      );
      await until(() => statuses.length + upstream.held.length === 24);
      assert.deepEqual([countOf(statuses), upstream.held.length], [{ 503: 19 }, 5]);
      upstream.letGo();
      await Promise.all(slow);
      assert.deepEqual(countOf(statuses), { 200: 5, 503: 19 });
    }

    assert.equal(await host.ask("/api/paced"), 200);
    const waiting = burst("/api/paced", 10);
    await host.ask("/api/other");
    const [statuses] = await Promise.all([waiting, pause(1000).then(() => host.stack.close())]);
    assert.deepEqual(countOf(statuses), { 503: 10 });
    assert.equal(host.events().filter((event) => event === "gateway.budget.exhausted").length, 1);
  });
});

suite("two hosts on one Redis", { skip: redis.skip, timeout: 120_000 }, () => {
  test("admit exactly the limit; when it is killed each admits its share and logins are closed, until it is back", async (context) => {
    const [upstream, server] = await Promise.all([startUpstream(context), startRedis(context)]);
    const limits = `limits: { store: redis({ url: "redis://127.0.0.1:${server.port}", timeoutMs: 2000 }), instances: 2 },`;
    const options = { upstreamPort: upstream.port, threads: 2, limits };
    const hosts = await Promise.all([startHost(context, options), startHost(context, options)]);
    const login = (host: (typeof hosts)[number]): Promise<number> =>
      host.ask("/api/login", '{"email":"ada@bakery.test"}');
    const burst = async (): Promise<Record<number, number>[]> =>
      Promise.all(
        hosts.map(async ({ ask }) =>
          countOf(await Promise.all(Array.from({ length: limit * 5 }, () => ask("/api/limited")))),
        ),
      );
    const total = (counts: Record<number, number>[], status: number): number =>
      counts.reduce((sum, count) => sum + (count[status] ?? 0), 0);
    for (const host of hosts) while ((await login(host)) !== 200) await pause(20);

    const together = await burst();
    assert.deepEqual([total(together, 200), total(together, 429)], [limit, limit * 9]);

    await server.kill();
    for (const host of hosts) await until(() => host.events().includes("gateway.limits.degraded"));
    assert.deepEqual(await burst(), [
      { 200: limit / 2, 429: limit * 4.5 },
      { 200: limit / 2, 429: limit * 4.5 },
    ]);
    assert.deepEqual(await Promise.all(hosts.map(login)), [503, 503]);

    await server.restart();
    for (const host of hosts) await until(() => host.events().includes("gateway.limits.restored"));
    for (const host of hosts) while ((await login(host)) !== 200) await pause(20);
    const again = await burst();
    assert.deepEqual([total(again, 200), total(again, 429)], [limit, limit * 9]);
    for (const host of hosts)
      assert.equal(host.events().filter((event) => event.startsWith("gateway.limits.")).length, 2);
  });
});
