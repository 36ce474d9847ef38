import assert from "node:assert/strict";
import { createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import type { ContractLimitStore, SecurityEvent } from "../../../contract/index.ts";
import { countedLimit } from "../../limits/counting.ts";
import type { Charge } from "../../limits/counting.ts";
import { createGateMemory, openGates } from "../../limits/gates.ts";
import { createLimitMemory, createLimitStore } from "../../limits/rate-limit.ts";
import { certificate } from "../../../../test/support/https-server.ts";
import { openRedisSocket } from "./open-redis-socket.ts";
import { createRedisCounting } from "./redis-counting.ts";
import type { RedisCountingOptions } from "./redis-counting.ts";
import { redis, startRedis, testPassword } from "../../../../test/support/redis-server.ts";
import type { TestRedis } from "../../../../test/support/redis-server.ts";

const origin = "https://www.bakery.test";

function storeAt(port: number, more: Partial<ContractLimitStore> = {}): ContractLimitStore {
  return {
    url: new URL(`redis://127.0.0.1:${port}`),
    username: undefined,
    secret: undefined,
    caFile: undefined,
    timeoutMs: 2000,
    instances: 2,
    ...more,
  };
}

/** One host: its own counters, and the store that it shares. */
function openHost(context: TestContext, store: ContractLimitStore, more: Partial<RedisCountingOptions> = {}) {
  const events: SecurityEvent[] = [];
  const told: (() => void)[] = [];
  const counting = createRedisCounting({
    store,
    origin,
    events(event) {
      events.push(event);
      for (const tell of told) tell();
    },
    gates: openGates(createGateMemory({ counters: 0, doors: 0 })),
    ...more,
  });
  context.after(() => counting.close());
  const local = createLimitStore(createLimitMemory());
  const limit = (count: number, name = "GET /a client", windowSeconds = 3600) =>
    countedLimit({ text: "", count, windowSeconds, burst: count }, name, local, 1);
  const charge = (...charges: Charge[]) =>
    new Promise<{ left: readonly number[]; isExact: boolean }>((resolve) =>
      counting.charge(charges, (left, isExact) => resolve({ left, isExact })),
    );
  return {
    counting,
    events,
    limit,
    charge,
    /** Charges until the store is counting, so that what a test says next is of that. */
    async ready(): Promise<void> {
      while (!(await charge({ limit: limit(9e6, "warm up", 1), key: "w", cost: 1 })).isExact)
        await new Promise((resolve) => setImmediate(resolve));
    },
    async heard(type: SecurityEvent["type"]): Promise<SecurityEvent> {
      for (;;) {
        const event = events.find((one) => one.type === type);
        if (event !== undefined) return event;
        await new Promise<void>((resolve) => void told.push(resolve));
      }
    },
  };
}

suite("a shared store", { skip: redis.skip }, () => {
  test("two hosts together admit exactly the limit to a burst of ten times as many", async (context) => {
    const { port } = await startRedis(context);
    const hosts = [openHost(context, storeAt(port)), openHost(context, storeAt(port))];
    await Promise.all(hosts.map((host) => host.ready()));
    const answers = await Promise.all(
      hosts.flatMap(({ charge, limit }) => {
        const one = { limit: limit(100), key: "192.0.2.1", cost: 1 };
        return Array.from({ length: 500 }, () => charge(one));
      }),
    );
    assert.equal(answers.filter(({ left }) => (left[0] ?? -1) >= 0).length, 100);
    assert.ok(answers.every(({ isExact }) => isExact));
  });

  test("several limits are charged in order until one refuses; each tells what is left, or when to come back", async (context) => {
    const { port } = await startRedis(context);
    const host = openHost(context, storeAt(port));
    await host.ready();
    const own = [host.limit(2, "minute"), host.limit(10, "day")].map((limit) => ({
      limit,
      key: "a",
      cost: 1,
    }));
    const all = { limit: host.limit(5, "route"), key: "", cost: 1 };
    assert.deepEqual((await host.charge(...own, all)).left, [1, 9, 4]);
    assert.deepEqual((await host.charge(...own, all)).left, [0, 8, 3]);
    const { left } = await host.charge(...own, all);
    assert.equal(left.length, 1);
    const wait = -(left[0] ?? 0);
    assert.ok(wait > 1_790_000 && wait <= 1_800_000, `${wait}`);
    assert.deepEqual((await host.charge(all)).left, [2]);
  });

  test("what costs more takes more, and what is given back can be taken again", async (context) => {
    const { port } = await startRedis(context);
    const host = openHost(context, storeAt(port));
    await host.ready();
    const four = { limit: host.limit(10), key: "a", cost: 4 };
    assert.deepEqual([(await host.charge(four)).left, (await host.charge(four)).left], [[6], [2]]);
    assert.ok(((await host.charge(four)).left[0] ?? 0) < 0);
    host.counting.giveBack([four]);
    assert.deepEqual((await host.charge(four)).left, [2]);
    for (let count = 0; count < 9; count++) host.counting.giveBack([four]);
    assert.deepEqual((await host.charge(four)).left, [6]);
  });

  test("the store learns no address and no subject, and forgets what is whole again", async (context) => {
    const server = await startRedis(context);
    const host = openHost(context, storeAt(server.port));
    await host.ready();
    const limit = host.limit(10);
    for (const key of ["192.0.2.77", "ada@bakery.test", ""]) await host.charge({ limit, key, cost: 1 });
    const keys = ((await server.ask("KEYS", "*")) as string[]).filter((key) => !key.includes("probe"));
    // Three, and the warm-up's if it is not gone yet.
    assert.ok(keys.length === 3 || keys.length === 4, keys.join());
    for (const key of keys) {
      assert.match(key, /^cw:\{[0-9a-f]{16}\}:[0-9a-f]{16}$/);
      const expires = (await server.ask("PTTL", key)) as number;
      // -2: the warm-up's, which went meanwhile.
      assert.ok(expires === -2 || (expires > 0 && expires <= 360_000), `${expires}`);
    }
  });

  test("another site, and another limit of the same name, have counters of their own", async (context) => {
    const { port } = await startRedis(context);
    const ours = openHost(context, storeAt(port));
    const theirs = openHost(context, storeAt(port), { origin: "https://other.test" });
    await Promise.all([ours.ready(), theirs.ready()]);
    const key = "a";
    assert.deepEqual((await ours.charge({ limit: ours.limit(1), key, cost: 1 })).left, [0]);
    assert.deepEqual((await theirs.charge({ limit: theirs.limit(1), key, cost: 1 })).left, [0]);
    assert.deepEqual((await ours.charge({ limit: ours.limit(2), key, cost: 1 })).left, [1]);
  });

  test("a store that has forgotten the script is sent it again", async (context) => {
    const server = await startRedis(context);
    const host = openHost(context, storeAt(server.port));
    await host.ready();
    const one = { limit: host.limit(9), key: "a", cost: 1 };
    await host.charge(one);
    assert.equal(await server.ask("SCRIPT", "FLUSH"), "OK");
    const both = await Promise.all([host.charge(one), host.charge(one)]);
    assert.deepEqual(new Set(both.flatMap(({ left }) => left)), new Set([6, 7]));
    assert.ok(both.every(({ isExact }) => isExact));
    assert.equal(host.events.length, 0);
  });

  test("over TLS; another certificate is not accepted, nor a store that wants a password", async (context) => {
    const server = await startRedis(context, { tls: true });
    const store = storeAt(server.port, { url: new URL(`rediss://127.0.0.1:${server.port}`) });
    const host = openHost(context, store, { ca: certificate.ca });
    await host.ready();
    const strange = openHost(context, store);
    assert.match(
      String(((await strange.heard("gateway.limits.degraded")) as { reason?: string }).reason),
      /no connection/,
    );
    const locked = await startRedis(context, { password: testPassword });
    const none = openHost(context, storeAt(locked.port));
    assert.match(
      String(((await none.heard("gateway.limits.degraded")) as { reason?: string }).reason),
      /NOAUTH/,
    );
  });

  test("counters are named anew once a connection says what with, and as before while it says the same", async (context) => {
    const server = await startRedis(context);
    let seed: [number, number] = [1, 2];
    const url = new URL(`redis://127.0.0.1:${server.port}`);
    const host = openHost(context, storeAt(server.port), {
      open: async () => ({ socket: await openRedisSocket(url, undefined), seed: [...seed] }),
    });
    await host.ready();
    const one = { limit: host.limit(9), key: "a", cost: 1 };
    assert.deepEqual((await host.charge(one)).left, [8]);
    const reconnect = async (): Promise<void> => {
      host.events.length = 0;
      await server.ask("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
      await host.heard("gateway.limits.restored");
    };
    await reconnect();
    assert.deepEqual((await host.charge(one)).left, [7]);
    seed = [3, 4];
    await reconnect();
    assert.deepEqual((await host.charge(one)).left, [8]);
  });
});

suite("a store that is lost", { skip: redis.skip }, () => {
  const burst = async (host: ReturnType<typeof openHost>, count: number, of: number) => {
    const one = { limit: host.limit(of), key: "192.0.2.1", cost: 1 };
    const answers = await Promise.all(Array.from({ length: count }, () => host.charge(one)));
    return {
      admitted: answers.filter(({ left }) => (left[0] ?? -1) >= 0).length,
      exact: answers.filter(({ isExact }) => isExact).length,
    };
  };

  test("kill -9: each host admits its share, with one event; when it is back all count together again", async (context) => {
    const server = await startRedis(context);
    const hosts = [openHost(context, storeAt(server.port)), openHost(context, storeAt(server.port))];
    await Promise.all(hosts.map((host) => host.ready()));
    await server.kill();
    for (const host of hosts) {
      assert.deepEqual(await burst(host, 500, 100), { admitted: 50, exact: 0 });
      await host.heard("gateway.limits.degraded");
      assert.equal(host.events.length, 1);
    }
    await server.restart();
    for (const host of hosts) await host.heard("gateway.limits.restored");
    const [first, second] = await Promise.all(hosts.map((host) => burst(host, 500, 100)));
    assert.equal((first?.admitted ?? 0) + (second?.admitted ?? 0), 100);
    assert.equal((first?.exact ?? 0) + (second?.exact ?? 0), 1000);
    assert.ok(hosts.every(({ events }) => events.length === 2));
  });

  test("calls that are under way when it dies are answered by the share", async (context) => {
    const server = await startRedis(context);
    const host = openHost(context, storeAt(server.port));
    await host.ready();
    server.process.kill("SIGSTOP");
    const counted = burst(host, 100, 100);
    server.process.kill("SIGKILL");
    assert.deepEqual(await counted, { admitted: 50, exact: 0 });
  });

  test("one that hangs is waited for no longer than it may take, and by the first calls only", async (context) => {
    const server = await startRedis(context);
    const host = openHost(context, storeAt(server.port, { timeoutMs: 500 }));
    await host.ready();
    server.process.kill("SIGSTOP");
    const started = performance.now();
    assert.equal((await burst(host, 10, 100)).exact, 0);
    const waited = performance.now() - started;
    assert.ok(waited >= 450 && waited < 20_000, `${waited} ms`);
    const again = host.charge({ limit: host.limit(100), key: "b", cost: 1 });
    let isOver = false;
    void again.then(() => (isOver = true));
    await Promise.resolve();
    await Promise.resolve();
    assert.ok(isOver);
    server.process.kill("SIGCONT");
    await host.heard("gateway.limits.restored");
    assert.ok((await host.charge({ limit: host.limit(100), key: "b", cost: 1 })).isExact);
  });

  test("one that only reads, or is no Redis at all, is none", async (context) => {
    const replica = await startRedis(context);
    await replica.ask("REPLICAOF", "127.0.0.1", "1");
    const host = openHost(context, storeAt(replica.port));
    const event = await host.heard("gateway.limits.degraded");
    assert.match(JSON.stringify(event), /READONLY/);
    assert.equal((await burst(host, 10, 4)).admitted, 2);
    await replica.ask("REPLICAOF", "NO", "ONE");
    await host.heard("gateway.limits.restored");

    const sockets = new Set<Socket>();
    const garbage = createServer((socket) => {
      sockets.add(socket);
      socket.end("HTTP/1.1 400 Bad Request\r\n\r\n");
    }).listen(0, "127.0.0.1");
    await new Promise((resolve) => garbage.once("listening", resolve));
    context.after(() => garbage.close());
    const lost = openHost(context, storeAt((garbage.address() as AddressInfo).port));
    assert.match(JSON.stringify(await lost.heard("gateway.limits.degraded")), /RESP2/);
    assert.equal((await burst(lost, 10, 4)).admitted, 2);
  });

  test("threads of one host tell once that it is lost, and once that it is back", async (context) => {
    const server: TestRedis = await startRedis(context);
    const memory = createGateMemory({ counters: 0, doors: 0, threads: 2 });
    const [first, second] = [0, 1].map((thread) =>
      openHost(context, storeAt(server.port), { gates: openGates(memory, thread) }),
    ) as [ReturnType<typeof openHost>, ReturnType<typeof openHost>];
    await Promise.all([first.ready(), second.ready()]);
    await server.kill();
    await Promise.race([first.heard("gateway.limits.degraded"), second.heard("gateway.limits.degraded")]);
    await server.restart();
    await Promise.race([first.heard("gateway.limits.restored"), second.heard("gateway.limits.restored")]);
    await Promise.all([first.ready(), second.ready()]);
    const types = [...first.events, ...second.events].map(({ type }) => type).toSorted();
    assert.deepEqual(types, ["gateway.limits.degraded", "gateway.limits.restored"]);
  });
});
