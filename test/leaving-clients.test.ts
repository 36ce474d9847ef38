// Clients that leave before they are answered, and stacks that are stopped while requests are under way: over real sockets, edge to upstream.
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { ServerResponse } from "node:http";
import { request as requestHttps } from "node:https";
import type { AddressInfo } from "node:net";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { everyone } from "curtainwall";
import { z } from "zod";
import { ask, host, openHttp2, openRaw, protocols } from "../src/edge/node/test-edge.ts";
import type { Protocol, Running } from "../src/edge/node/test-edge.ts";
import { startStack } from "../src/stack/index.ts";
import { answerJson, startGuardedApi } from "./support/guarded-api.ts";
import type { GuardedApi } from "./support/guarded-api.ts";
import { makeProject } from "./support/project.ts";

const base = {
  access: everyone,
  limit: "100000/s per client",
  response: z.object({ ok: z.boolean() }),
  to: "shop",
};
const body = z.object({ a: z.number() });
const routes = {
  "GET /api/one": { ...base, concurrency: 1 },
  "GET /api/guess": { ...base, failures: "2/h per client" },
  "POST /api/order": { ...base, body, concurrency: 1 },
  "PUT /api/cart": { ...base, body, idempotent: true, concurrency: 1 },
  "GET /api/plain": base,
};

/** An upstream that holds its answers back, and tells who came and whose connection went. */
interface Holding {
  readonly api: GuardedApi;
  came(): Promise<ServerResponse>;
}

async function startHolding(t: TestContext): Promise<Holding> {
  const api = await startGuardedApi(t, routes);
  const held: ServerResponse[] = [];
  let tell = (): void => undefined;
  api.upstream.answer = (_, response) => {
    held.push(response);
    tell();
  };
  return {
    api,
    async came() {
      while (held.length === 0) await new Promise<void>((resolve) => (tell = resolve));
      return held.shift() as ServerResponse;
    },
  };
}

/** Asks, and gives what makes the client leave without an answer. */
async function askAndLeave(
  protocol: Protocol,
  { port }: Running,
  { method = "GET", path = "/api/one" },
): Promise<() => void> {
  const text = method === "GET" ? "" : '{"a":1}';
  if (protocol === "h2") {
    const session = openHttp2(port);
    const type = method === "GET" ? {} : { "content-type": "application/json" };
    const stream = session.request({ ":method": method, ":path": path, ":authority": host, ...type });
    stream.on("error", () => undefined);
    stream.end(text);
    return () => {
      stream.close(8);
      stream.once("close", () => session.destroy());
    };
  }
  const socket = await openRaw(port);
  const head = `content-type: application/json\r\ncontent-length: ${text.length}\r\n`;
  socket.write(`${method} ${path} HTTP/1.1\r\nhost: ${host}\r\n${method === "GET" ? "" : head}\r\n${text}`);
  return () => socket.destroy();
}

for (const protocol of protocols)
  suite(`a client that leaves, over ${protocol}`, () => {
    for (const { method, path } of [
      { method: "GET", path: "/api/one" },
      { method: "PUT", path: "/api/cart" },
    ])
      test(`its ${method}, which may be done twice, is cut at the upstream, and its place is free`, async (t) => {
        const { api, came } = await startHolding(t);
        for (let count = 0; count < 7; count++) {
          const leave = await askAndLeave(protocol, api, { method, path });
          const response = await came();
          leave();
          await once(response, "close");
          assert.equal(response.writableFinished, false);
        }
        api.upstream.answer = answerJson({ ok: true });
        const type =
          method === "GET" ? {} : { headers: { "content-type": "application/json" }, body: '{"a":1}' };
        assert.equal((await ask(protocol, api.port, { method, path, ...type })).status, 200);
        // Seven in a row are more than an address may fail.
        assert.deepEqual(api.ledger, []);
      });

    test("its POST, once it was sent, is let finish, and counts as under way until then", async (t) => {
      const { api, came } = await startHolding(t);
      const leave = await askAndLeave(protocol, api, { method: "POST", path: "/api/order" });
      const response = await came();
      leave();
      const other = { headers: { "content-type": "application/json" }, body: '{"a":1}' };
      const order = (): ReturnType<typeof ask> =>
        ask(protocol, api.port, { method: "POST", path: "/api/order", ...other });
      assert.equal((await order()).status, 503);
      assert.equal(response.destroyed, false);
      answerJson({ ok: true })(api.upstream.seen[0] as never, response, response.socket as never);
      await once(response, "finish");
      api.upstream.answer = answerJson({ ok: true });
      let status = 503;
      while (status === 503) ({ status } = await order());
      assert.equal(status, 200);
    });

    test("before its answer it is known to be no good has guessed all the same", async (t) => {
      const { api, came } = await startHolding(t);
      for (let count = 0; count < 2; count++) {
        const leave = await askAndLeave(protocol, api, { path: "/api/guess" });
        const response = await came();
        leave();
        await once(response, "close");
      }
      assert.equal((await ask(protocol, api.port, { path: "/api/guess" })).status, 429);
    });
  });

test("who stays behind one that leaves is answered, on a connection that stays", async (t) => {
  const { api, came } = await startHolding(t);
  const staying = ask("http/1.1", api.port, { path: "/api/plain" });
  const first = await came();
  const leave = await askAndLeave("http/1.1", api, { path: "/api/plain" });
  const second = await came();
  leave();
  await once(second, "close");
  answerJson({ ok: true })(api.upstream.seen[0] as never, first, first.socket as never);
  assert.equal((await staying).status, 200);
});

suite("a stack that is stopped", () => {
  async function startSite(t: TestContext) {
    const held: ServerResponse[] = [];
    let tell = (): void => undefined;
    const server = createServer((incoming, response) => {
      incoming.resume();
      held.push(response);
      tell();
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    t.after(() => {
      server.close();
      server.closeAllConnections();
    });
    const { port } = server.address() as AddressInfo;
    const route = `access: everyone, limit: "9000/s per client", response: z.object({ ok: z.boolean() }), to: "shop"`;
    const project = await makeProject({
      config: `import { defineStack, everyone, upstream } from "curtainwall";
import { z } from "zod";
export default defineStack({
  origin: "https://localhost",
  edge: { port: 0, redirectPort: false, threads: 1 },
  upstreams: { shop: upstream({ url: "http://127.0.0.1:${port}", insecureAllowHttp: "a test's own server" }) },
  routes: {
    "GET /api/slow": { ${route} },
    "POST /api/order": { ${route}, body: z.object({}) },
  },
});`,
    });
    t.after(() => project.remove());
    const stack = await startStack({ path: project.root, log: () => undefined, graceMs: 4000 });
    t.after(() => stack.close());
    const ca = readFileSync(stack.caFile ?? "");
    const send = (method: string, path: string) => {
      const outgoing = requestHttps({
        host: "127.0.0.1",
        servername: "localhost",
        port: stack.port,
        ca,
        agent: false,
        method,
        path,
        headers: { host: "localhost", "content-type": "application/json" },
      });
      const status = new Promise<number>((resolve, reject) => {
        outgoing.on("error", reject);
        outgoing.on("response", (response) => {
          response.resume();
          response.on("end", () => resolve(response.statusCode ?? 0));
        });
      });
      status.catch(() => undefined);
      outgoing.end(method === "POST" ? "{}" : undefined);
      return { outgoing, status };
    };
    const came = async (): Promise<ServerResponse> => {
      while (held.length === 0) await new Promise<void>((resolve) => (tell = resolve));
      return held.shift() as ServerResponse;
    };
    return { stack, send, came };
  }
  const letGo = (response: ServerResponse): void =>
    void response.setHeader("content-type", "application/json").end('{"ok":true}');

  test("by SIGTERM to its edge answers what is under way, and takes nothing new", async (t) => {
    const { stack, send, came } = await startSite(t);
    const { status } = send("GET", "/api/slow");
    const response = await came();
    process.kill(stack.pids().edge, "SIGTERM");
    // From here on nobody listens: the edge is stopping, and the request is under way still.
    const isRefused = (): Promise<boolean> =>
      send("GET", "/").status.then(
        () => false,
        () => true,
      );
    while (!(await isRefused()));
    letGo(response);
    assert.equal(await status, 200);
  });

  test("lets an order finish whose client has gone, and then ends", async (t) => {
    const { stack, send, came } = await startSite(t);
    const { outgoing } = send("POST", "/api/order");
    const response = await came();
    outgoing.destroy();
    const stopped = stack.close();
    const order = once(response, "finish");
    await once(response.socket ?? assert.fail(), "timeout", { signal: AbortSignal.timeout(300) }).catch(
      () => undefined,
    );
    assert.equal(response.destroyed, false, "it was not cut");
    letGo(response);
    await order;
    await stopped;
  });
});
