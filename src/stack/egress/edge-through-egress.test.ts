import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { request } from "node:https";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { certificate, listen } from "../../../test/support/https-server.ts";
import { countInMemory } from "../../../test/support/process-memory.ts";
import { makeProject } from "../../../test/support/project.ts";
import { redis, startRedis } from "../../../test/support/redis-server.ts";
import { needsRoot } from "../../../test/requires.ts";
import { loadContract, startStack, withVault } from "../index.ts";
import type { RunningStack } from "../index.ts";

/** Of nobody; and unlike anything that a process has in its memory by chance. */
const values = {
  SHOP_KEY: "shop-key-of-nobody-7d2f91",
  CHAT_KEY: "chat-key-of-nobody-a81c06",
  STORE_PASSWORD: "store-word-of-nobody-55e0b3",
};

interface Reply {
  readonly status: number;
  readonly code: unknown;
}

interface Site {
  readonly stack: RunningStack;
  readonly root: string;
  /** What the shop was asked, and with which key. */
  readonly asked: string[];
  /** What the shop answers. */
  status: number;
  call(method: string, path: string, headers?: Record<string, string>, body?: string): Promise<Reply>;
  /** Delivers a webhook, signed now or as the headers of another one are. */
  deliver(body: string, headers?: Record<string, string>): Promise<Reply>;
}

/** A site with a shop that wants a key, a chat that sends webhooks, and a store with a password that limits are counted in. */
async function startSite(context: TestContext): Promise<Site> {
  const store = await startRedis(context, { tls: true, password: values.STORE_PASSWORD });
  const asked: string[] = [];
  const shop = await listen(context, (incoming, response) => {
    asked.push(`${incoming.method} ${incoming.url} ${incoming.headers.authorization ?? "-"}`);
    response.writeHead(site.status, { "content-type": "application/json" }).end('{"ok":true}');
  });
  const project = await makeProject({
    config: `import { bearer, connectionSecret, defineStack, everyone, redis, secret, slack, upstream, webhookSecret } from "curtainwall";
import { z } from "zod";
const answer = { access: everyone, response: z.object({ ok: z.boolean() }), to: "shop" } as const;
export default defineStack({
  origin: "https://localhost",
  edge: { port: 0, redirectPort: false, threads: 2 },
  upstreams: { shop: upstream({ url: "${shop.origin}", caFile: "ca.pem" }) },
  limits: { store: redis({ url: "rediss://127.0.0.1:${store.port}", password: "STORE_PASSWORD", caFile: "ca.pem", timeoutMs: 2000 }), instances: 1 },
  secrets: {
    SHOP_KEY: secret({ use: "GET ${shop.origin}/api/orders/*", by: "GET /api/orders/:id", inject: bearer() }),
    CHAT_KEY: webhookSecret(),
    STORE_PASSWORD: connectionSecret(),
  },
  routes: {
    "GET /api/orders/:id": { ...answer, limit: "500/min per client", params: { id: z.string() } },
    "GET /api/plain": { ...answer, limit: "5/h per client" },
    "POST /api/chat": { ...answer, limit: "500/min per client", body: z.object({ n: z.number() }), webhook: slack("CHAT_KEY") },
  },
});`,
    files: { "ca.pem": certificate.ca },
  });
  const loaded = await loadContract(project.root);
  await withVault(loaded, { environment: "development", create: true }, async (vault) => {
    for (const [name, value] of Object.entries(values))
      await vault.set(name, new TextEncoder().encode(value));
  });
  const stack = await startStack({ path: project.root, log: () => undefined });
  context.after(async () => {
    await stack.close();
    project.remove();
  });
  const site: Site = {
    stack,
    root: project.root,
    asked,
    status: 200,
    call: (method, path, headers = {}, body = "") =>
      new Promise((resolve, reject) => {
        const sent = {
          host: "127.0.0.1",
          port: stack.port,
          servername: "localhost",
          rejectUnauthorized: false,
          agent: false,
        };
        const type =
          body === ""
            ? {}
            : { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
        request(
          { ...sent, method, path, headers: { host: "localhost", ...type, ...headers } },
          (response) => {
            let text = "";
            response.setEncoding("utf8").on("data", (part: string) => (text += part));
            response.on("end", () => {
              const { code } = (text === "" ? {} : JSON.parse(text)) as { code?: unknown };
              resolve({ status: response.statusCode ?? 0, code });
            });
          },
        )
          .on("error", reject)
          .end(body);
      }),
    deliver: (body, headers = sign(body)) => site.call("POST", "/api/chat", headers, body),
  };
  return site;
}

function sign(body: string, key = values.CHAT_KEY): Record<string, string> {
  const seconds = Math.floor(Date.now() / 1000);
  const signature = createHmac("sha256", key).update(`v0:${seconds}:${body}`).digest("hex");
  return { "x-slack-request-timestamp": String(seconds), "x-slack-signature": `v0=${signature}` };
}

/** What was signed before egress began to remember is sent again, as its sender does. */
async function untilTaken(site: Site, body: string): Promise<Record<string, string>> {
  for (;;) {
    const headers = sign(body);
    const { status } = await site.deliver(body, headers);
    if (status === 200) return headers;
    assert.equal(status, 503);
  }
}

suite("A site whose edge has no secrets", { skip: redis.skip || needsRoot.skip }, () => {
  test("uses a key, checks webhooks and counts in a store with a password, and none of them is in the edge, the ledger, an environment or the log", async (context) => {
    const site = await startSite(context);
    const { stack, asked } = site;

    assert.equal((await site.call("GET", "/api/orders/7")).status, 200);
    assert.deepEqual(asked.splice(0), [`GET /api/orders/7 Bearer ${values.SHOP_KEY}`]);

    const headers = await untilTaken(site, '{"n":1}');
    assert.deepEqual(asked.splice(0), ["POST /api/chat -"]);
    assert.deepEqual(await site.deliver('{"n":1}', headers), {
      status: 403,
      code: "GATEWAY_WEBHOOK_REFUSED",
    });
    assert.deepEqual(await site.deliver('{"n":2}', headers), {
      status: 403,
      code: "GATEWAY_WEBHOOK_REFUSED",
    });
    assert.deepEqual(await site.deliver('{"n":2}', sign('{"n":2}', "another")), {
      status: 403,
      code: "GATEWAY_WEBHOOK_REFUSED",
    });
    assert.deepEqual(await site.deliver('{"n":2}', {}), { status: 403, code: "GATEWAY_WEBHOOK_REFUSED" });
    assert.deepEqual(asked.splice(0), []);

    // The function behind it fails: the sender tries the same again, and is heard.
    const failing = sign('{"n":3}');
    site.status = 500;
    assert.equal((await site.deliver('{"n":3}', failing)).status, 502);
    site.status = 200;
    let again = await site.deliver('{"n":3}', failing);
    while (again.status === 409) again = await site.deliver('{"n":3}', failing);
    assert.equal(again.status, 200);

    // Of two threads each would admit as many by itself.
    const statuses = await Promise.all(Array.from({ length: 12 }, () => site.call("GET", "/api/plain")));
    assert.equal(statuses.filter(({ status }) => status === 200).length, 5);

    const { edge, ledger, egress } = stack.pids();
    // All of them have it.
    const needle = Buffer.from("-of-nobody-");
    assert.equal(countInMemory(edge ?? 0, needle), 0, "in the edge");
    assert.equal(countInMemory(ledger ?? 0, needle), 0, "in the ledger");
    // The search finds it where it is.
    assert.ok(countInMemory(egress ?? 0, needle) > 0);
    for (const pid of Object.values(stack.pids()))
      for (const file of ["environ", "cmdline"])
        assert.ok(!readFileSync(`/proc/${pid}/${file}`, "latin1").includes("-of-nobody-"), file);
    const log = readFileSync(stack.folders.logFile, "utf8");
    assert.doesNotMatch(log, /of-nobody/);
    for (const event of ["egress.used", "webhook.accepted", "webhook.refused", "egress.connection.opened"])
      assert.ok(log.includes(`"${event}"`), event);

    // Killed: webhooks wait or are refused, nothing goes without its key, and all of it is back by itself.
    process.kill(stack.pids().egress ?? 0, "SIGKILL");
    const meanwhile = await Promise.all([
      site.call("GET", "/api/orders/7"),
      site.deliver('{"n":2}'),
      site.call("GET", "/api/plain"),
    ]);
    for (const { status } of meanwhile) assert.ok([200, 429, 503].includes(status), `${status}`);
    assert.ok(asked.every((line) => !line.startsWith("GET /api/orders") || line.endsWith(values.SHOP_KEY)));
    await untilTaken(site, '{"n":4}');
    while ((await site.call("GET", "/api/orders/7")).status !== 200)
      await new Promise((resolve) => setImmediate(resolve));
  });
});
