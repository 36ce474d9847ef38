import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import type { Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import type { ContractLimitStore, SecurityEvent } from "../../contract/index.ts";
import { createRedisRelay } from "../../egress/node.ts";
import type { ConnectionRelay } from "../../egress/node.ts";
import {
  createGateMemory,
  createLimitMemory,
  createLimitStore,
  limitKeyPrefix,
  limitScript,
  openGates,
} from "../../gateway/index.ts";
import type { Charge } from "../../gateway/index.ts";
import { createRedisCounting } from "../../gateway/node.ts";
import { Secret } from "../../shared/index.ts";
import { certificate } from "../../../test/support/https-server.ts";
import { redis, startRedis, testPassword } from "../../../test/support/redis-server.ts";
import { openRedisThroughEgress } from "./open-redis.ts";

const origin = "https://www.bakery.test";

interface Egress {
  readonly path: string;
  readonly relay: ConnectionRelay;
  readonly events: SecurityEvent[];
  readonly server: Server;
}

/** Egress' side: it has the password. */
async function openEgress(
  context: TestContext,
  url: string,
  {
    password = () => testPassword,
    ca,
    username,
  }: { password?: () => string | undefined; ca?: string; username?: string } = {},
): Promise<Egress> {
  const folder = mkdtempSync(join(tmpdir(), "cw-redis-"));
  const events: SecurityEvent[] = [];
  const versions: string[] = [];
  const relay = createRedisRelay({
    url: new URL(url),
    username,
    ca,
    secret: "REDIS_PASSWORD",
    source: {
      async get() {
        const value = password();
        if (value === undefined) return undefined;
        if (!versions.includes(value)) versions.push(value);
        return { version: versions.indexOf(value) + 1, value: new Secret(value) };
      },
    },
    scripts: [limitScript],
    keyPrefix: limitKeyPrefix,
    origin,
    events: (event) => void events.push(event),
    timeoutMs: 2000,
  });
  const path = join(folder, "s");
  const server = createServer((socket) => relay.accept(socket)).listen(path);
  await once(server, "listening");
  context.after(() => {
    relay.close();
    server.close();
    rmSync(folder, { recursive: true });
  });
  return { path, relay, events, server };
}

/** The edge's side: it has none. */
function openEdge(context: TestContext, path: string) {
  const events: SecurityEvent[] = [];
  const told: (() => void)[] = [];
  const store: ContractLimitStore = {
    url: new URL("rediss://store.invalid"),
    username: undefined,
    secret: "REDIS_PASSWORD",
    caFile: undefined,
    timeoutMs: 2000,
    instances: 2,
  };
  const counting = createRedisCounting({
    store,
    origin,
    open: () => openRedisThroughEgress(path),
    events(event) {
      events.push(event);
      for (const tell of told) tell();
    },
    gates: openGates(createGateMemory({ counters: 0, doors: 0 })),
  });
  context.after(() => counting.close());
  const local = createLimitStore(createLimitMemory());
  const charge = (key: string, burst = 100) => {
    const rate = { id: 1, burst, intervalMs: 36_000 };
    const one: Charge = { limit: { name: `test ${burst}`, rate, store: local }, key, cost: 1 };
    return new Promise<{ left: readonly number[]; isExact: boolean }>((resolve) =>
      counting.charge([one], (left, isExact) => resolve({ left, isExact })),
    );
  };
  return {
    events,
    charge,
    async ready(): Promise<void> {
      while (!(await charge("warm up", 1e6)).isExact) await new Promise((resolve) => setImmediate(resolve));
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

/** Sends bytes as a broken edge could, and gives what comes back until the connection ends. */
async function sendRaw(path: string, text: string): Promise<string> {
  const { socket } = await openRedisThroughEgress(path);
  let answer = "";
  socket.on("data", (part: Buffer) => (answer += part.toString("latin1")));
  socket.on("error", () => undefined);
  socket.resume();
  socket.write(text);
  await once(socket, "close");
  return answer;
}

const command = (...parts: string[]): string =>
  `*${parts.length}\r\n${parts.map((part) => `$${Buffer.byteLength(part)}\r\n${part}\r\n`).join("")}`;

suite("Counting in a store whose password egress has", { skip: redis.skip }, () => {
  test("hosts admit exactly the limit together, over TLS, and neither the edge nor an event has the password", async (context) => {
    const server = await startRedis(context, { tls: true, password: testPassword });
    const url = `rediss://127.0.0.1:${server.port}`;
    const egress = await openEgress(context, url, { ca: certificate.ca });
    const hosts = [openEdge(context, egress.path), openEdge(context, egress.path)];
    await Promise.all(hosts.map((host) => host.ready()));
    const answers = await Promise.all(
      hosts.flatMap(({ charge }) => Array.from({ length: 500 }, () => charge("192.0.2.1"))),
    );
    assert.equal(answers.filter(({ left }) => (left[0] ?? -1) >= 0).length, 100);
    assert.ok(answers.every(({ isExact }) => isExact));
    assert.equal(egress.events.filter(({ type }) => type === "egress.connection.opened").length, 2);
    assert.ok(!JSON.stringify([egress.events, hosts.map(({ events }) => events)]).includes(testPassword));
  });

  test("a wrong password, a strange certificate and a secret without a value are told apart, by both, and no value is told", async (context) => {
    const server = await startRedis(context, { tls: true, password: testPassword });
    const url = `rediss://127.0.0.1:${server.port}`;
    const cases: [Parameters<typeof openEgress>[2], RegExp][] = [
      [{ ca: certificate.ca, password: () => "another" }, /WRONGPASS/],
      [{ password: () => testPassword }, /SELF|CERT|VERIFY|UNABLE/],
      [{ ca: certificate.ca, password: () => undefined }, /SECRETMISSING/],
    ];
    for (const [options, reason] of cases) {
      const egress = await openEgress(context, url, options);
      const edge = openEdge(context, egress.path);
      assert.match(JSON.stringify(await edge.heard("gateway.limits.degraded")), reason);
      const failed = egress.events.filter(({ type }) => type === "egress.connection.failed");
      assert.match(JSON.stringify(failed), reason);
      // However often it is tried.
      assert.equal(failed.length, 1);
      assert.doesNotMatch(JSON.stringify([egress.events, edge.events]), /another|not-a-real/);
    }
  });

  test("a name that leads into the cloud's metadata service is not connected to", async (context) => {
    const egress = await openEgress(context, "rediss://169.254.169.254");
    const edge = openEdge(context, egress.path);
    assert.match(JSON.stringify(await edge.heard("gateway.limits.degraded")), /ENOTFOUND/);
  });

  test("when the store dies the edge is told at once, and counts together again when it is back", async (context) => {
    const server = await startRedis(context, { password: testPassword });
    const egress = await openEgress(context, `redis://127.0.0.1:${server.port}`);
    const edge = openEdge(context, egress.path);
    await edge.ready();
    await server.kill();
    await edge.heard("gateway.limits.degraded");
    assert.equal((await edge.charge("a")).isExact, false);
    await server.restart();
    await edge.heard("gateway.limits.restored");
    assert.equal((await edge.charge("a")).isExact, true);
  });

  test("when egress dies the edge counts alone, and together again once it is back", async (context) => {
    const server = await startRedis(context, { password: testPassword });
    const { path, relay, server: egress } = await openEgress(context, `redis://127.0.0.1:${server.port}`);
    const edge = openEdge(context, path);
    await edge.ready();
    egress.close();
    relay.close();
    await edge.heard("gateway.limits.degraded");
    assert.equal((await edge.charge("a")).isExact, false);
    egress.listen(path);
    await edge.heard("gateway.limits.restored");
    assert.equal((await edge.charge("a")).isExact, true);
  });

  test("a password that was changed is said by the next connection", async (context) => {
    const server = await startRedis(context, { password: testPassword });
    let password = testPassword;
    const egress = await openEgress(context, `redis://127.0.0.1:${server.port}`, {
      password: () => password,
    });
    const edge = openEdge(context, egress.path);
    await edge.ready();
    const { socket } = await openRedisThroughEgress(egress.path);
    socket.destroy();
    password = "wrong-by-now";
    await assert.rejects(openRedisThroughEgress(egress.path), { code: "WRONGPASS" });
    // The one that is open goes on.
    assert.equal((await edge.charge("a")).isExact, true);
  });

  test("an edge that somebody took over can run the limits' script over their counters, and nothing else", async (context) => {
    const server = await startRedis(context, { password: testPassword });
    const { path, events } = await openEgress(context, `redis://127.0.0.1:${server.port}`);
    const args = ["1", "1000000", "5", "1"];
    const attempts = [
      command("CONFIG", "SET", "dir", "/tmp"),
      command("FLUSHALL"),
      command("flushall"),
      command("GET", "cw:{a}:b"),
      command("KEYS", "*"),
      command("AUTH", "x"),
      command("HELLO", "3", "AUTH", "default", "x"),
      command("SCRIPT", "FLUSH"),
      command("EVAL", "return redis.call('FLUSHALL')", "1", "cw:{a}:b"),
      command("EVAL", `${limitScript} `, "1", "cw:{a}:b", ...args),
      command("EVAL", limitScript, "1", "sessions:1", ...args),
      command("EVAL", limitScript, "2", "cw:{a}:b", "sessions:1", ...args),
      command("EVAL", limitScript, "9", "cw:{a}:b"),
      command("EVAL", limitScript, "0", "cw:{a}:b"),
      command("EVALSHA", "0".repeat(40), "1", "cw:{a}:b"),
      command("EVAL"),
      "FLUSHALL\r\n",
      "*-1\r\n",
      "*0\r\n",
      "*1000000\r\n",
      "*1\r\n$999999999\r\n",
      "*1\r\n$-1\r\n",
      "\r\n",
      "GET / HTTP/1.1\r\n\r\n",
      "\0",
    ];
    for (const attempt of attempts) {
      // Behind a command that is permitted, too, and in two parts.
      for (const text of [attempt, command("PING") + attempt]) {
        const answer = await sendRaw(path, text);
        assert.ok(answer === "" || answer === "+PONG\r\n", `${attempt}: ${answer}`);
      }
    }
    assert.ok(events.some(({ type }) => type === "egress.connection.refused"));
    assert.doesNotMatch(JSON.stringify(events), /FLUSHALL'|sessions/);
    const { socket } = await openRedisThroughEgress(path);
    let answer = "";
    socket.on("data", (part: Buffer) => (answer += part.toString()));
    const bytes = Buffer.from(command("EVAL", limitScript, "1", "cw:{a}:b", ...args) + command("PING"));
    for (const byte of bytes) socket.write(Buffer.of(byte));
    socket.resume();
    while (!answer.includes("PONG")) await once(socket, "data");
    assert.match(answer, /^\*1\r\n:\d+\r\n\+PONG\r\n$/);
    socket.destroy();
  });

  test("connections beyond the most are ended, and there is room again once others end", async (context) => {
    const server = await startRedis(context, { password: testPassword });
    const { path, relay } = await openEgress(context, `redis://127.0.0.1:${server.port}`);
    const idle = Array.from({ length: 300 }, () => connect(path).on("error", () => undefined));
    await Promise.all(idle.slice(256).map((socket) => once(socket.resume(), "close")));
    assert.equal(relay.size, 256);
    for (const socket of idle) socket.destroy();
    while (relay.size > 0) await new Promise((resolve) => setImmediate(resolve));
    const { socket } = await openRedisThroughEgress(path);
    socket.destroy();
  });
});
