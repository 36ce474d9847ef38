import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, request } from "node:http";
import type { RequestListener, Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import type { SecurityEvent } from "../../contract/index.ts";
import { createWebhookChecks } from "../../egress/index.ts";
import { createWebhookEndpoint } from "../../egress/node.ts";
import { Secret } from "../../shared/index.ts";
import { createWebhookVerifier } from "./webhook-verifier.ts";

const key = "no key of anybody";
const route = "POST /api/übermittlung";

async function listen(
  context: TestContext,
  handle: RequestListener,
): Promise<{ path: string; server: Server }> {
  const folder = mkdtempSync(join(tmpdir(), "cw-hook-"));
  const path = join(folder, "s");
  const server = createServer({ requireHostHeader: false }, handle).listen(path);
  await once(server, "listening");
  context.after(() => {
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true });
  });
  return { path, server };
}

/** Egress' side, with real checks, and the edge's. */
async function open(context: TestContext) {
  const events: SecurityEvent[] = [];
  // As if it had begun long ago: else what is signed in this very second would not be judged yet.
  let now = Date.now() - 60_000;
  const routes = [
    {
      key: route,
      webhook: { scheme: "slack" as const, secret: "KEY", toleranceSeconds: 300 },
      timeoutMs: 5000,
      maxBodyBytes: 1000,
    },
  ];
  const checks = createWebhookChecks({
    routes,
    keys: { keysOf: async () => [{ version: 1, value: new Secret(key) }] },
    events: (event) => void events.push(event),
    now: () => now,
  });
  now = Date.now();
  const endpoint = createWebhookEndpoint({ checks, routes });
  const { path, server } = await listen(context, (request, response) => {
    if (endpoint.matches(request)) endpoint.handle(request, response);
    else response.writeHead(404).end();
  });
  const verifier = createWebhookVerifier({ socketPath: path });
  context.after(() => verifier.close());
  return { verifier, events, server, path };
}

function signed(body: string, to = route, secret = key) {
  const seconds = Math.floor(Date.now() / 1000);
  const headers: Record<string, string> = {
    "x-slack-request-timestamp": String(seconds),
    "x-slack-signature": `v0=${createHmac("sha256", secret).update(`v0:${seconds}:${body}`).digest("hex")}`,
    authorization: "not for egress",
  };
  return { route: to, header: (name: string) => headers[name], body: Buffer.from(body) };
}

test("a webhook is judged by egress, bytes and all, and taken once", async (context) => {
  const { verifier, events } = await open(context);
  const delivery = signed(String.fromCharCode(0, 255, 128, 13, 10));
  const [first, second] = await Promise.all([verifier.verify(delivery), verifier.verify(delivery)]);
  assert.deepEqual([first.kind, second.kind].toSorted(), ["genuine", "under-way"]);
  const genuine = first.kind === "genuine" ? first : second;
  if (genuine.kind === "genuine") await genuine.settle(true);
  assert.deepEqual(await verifier.verify(delivery), { kind: "refused", reason: "it was taken before" });
  assert.equal((await verifier.verify(signed("{}", route, "another"))).kind, "refused");
  assert.equal((await verifier.verify(signed("{}", "POST /other"))).kind, "refused");
  assert.equal(events.filter(({ type }) => type === "webhook.accepted").length, 1);
});

test("what was not taken counts as new when it comes again", async (context) => {
  const { verifier } = await open(context);
  const delivery = signed("{}");
  const first = await verifier.verify(delivery);
  assert.equal(first.kind, "genuine");
  if (first.kind === "genuine") await first.settle(false);
  assert.equal((await verifier.verify(delivery)).kind, "genuine");
});

test("a body longer than its route takes is not read", async (context) => {
  const { verifier } = await open(context);
  assert.equal((await verifier.verify(signed("x".repeat(1000)))).kind, "genuine");
  assert.equal((await verifier.verify(signed("x".repeat(1001)))).kind, "unavailable");
  assert.equal((await verifier.verify(signed("y"))).kind, "genuine");
});

test("with egress away, slow, or talking nonsense nothing is genuine", async (context) => {
  const { verifier, server } = await open(context);
  assert.equal((await verifier.verify(signed("{}"))).kind, "genuine");
  server.closeAllConnections();
  server.close();
  await once(server, "close");
  assert.deepEqual(await verifier.verify(signed("{}")), {
    kind: "unavailable",
    reason: "egress does not answer",
  });
  for (const answer of [
    '{"kind":"genuine"}',
    '{"kind":"yes"}',
    "[]",
    "null",
    "{",
    "x".repeat(10_000),
    undefined,
  ]) {
    const { path } = await listen(context, (request, response) => {
      request.resume();
      if (answer !== undefined) response.end(answer);
    });
    const asking = createWebhookVerifier({ socketPath: path, timeoutMs: 200 });
    assert.equal((await asking.verify(signed("{}"))).kind, "unavailable", answer ?? "no answer");
    asking.close();
  }
});

test("what is no question is refused, and egress goes on", async (context) => {
  const { verifier, path } = await open(context);
  for (const [target, body] of [
    ["/webhooks/settle", "{"],
    ["/webhooks/settle", '{"ticket":1,"isTaken":true}'],
    ["/webhooks/settle", "x".repeat(5000)],
  ] as const) {
    const asked = request({ socketPath: path, path: target, method: "POST", setHost: false }).end(body);
    asked.on("error", () => undefined);
    const [response] = (await once(asked, "response")) as [{ statusCode: number; resume(): void }];
    assert.equal(response.statusCode, 400);
    response.resume();
  }
  assert.equal((await verifier.verify(signed("{}"))).kind, "genuine");
});
