import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:https";
import type { IncomingMessage, RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { z } from "zod";
import { bearer, defineStack, everyone, parseContract, secret, upstream } from "../../contract/index.ts";
import type { SecurityEvent } from "../../contract/index.ts";
import { routeHeader } from "../../egress/index.ts";
import { createEgress, createEgressServer } from "../../egress/node.ts";
import type { ForwardedAnswer } from "../../gateway/index.ts";
import { Secret } from "../../shared/index.ts";
import { certificate } from "../../../test/support/https-server.ts";
import { openUpstream } from "./open-upstream.ts";

const value = "key-of-nobody-0123456789";
const limit = "1000/min per client";

/** A shop somewhere else, egress before it, and the edge's way to both. */
async function open(
  context: TestContext,
  answer: RequestListener = (_, response) =>
    void response.setHeader("content-type", "application/json").end('{"ok":true}'),
) {
  const asked: IncomingMessage[] = [];
  const bodies: string[] = [];
  const service = createServer({ key: certificate.key, cert: certificate.cert }, (request, response) => {
    asked.push(request);
    let body = "";
    request.setEncoding("utf8").on("data", (part: string) => (body += part));
    request.on("end", () => {
      bodies.push(body);
      answer(request, response);
    });
  }).listen(0, "127.0.0.1");
  await once(service, "listening");
  const origin = `https://127.0.0.1:${(service.address() as AddressInfo).port}`;
  const response = z.object({ ok: z.boolean() });
  const contract = parseContract(
    defineStack({
      origin: "https://www.bakery.test",
      upstreams: { shop: upstream({ url: `${origin}/v1` }) },
      secrets: {
        SHOP_KEY: secret({
          use: [`GET ${origin}/v1/api/secret/*`, `POST ${origin}/v1/api/secret`] as `GET https://${string}`[],
          by: ["GET /api/secret/:id", "POST /api/secret"],
          inject: bearer(),
        }),
        OTHER_KEY: secret({
          use: `GET ${origin}/v1/api/other` as `GET https://${string}`,
          by: "GET /api/other",
          inject: bearer(),
        }),
      },
      routes: {
        "GET /api/secret/:id": {
          access: everyone,
          limit,
          params: { id: z.string() },
          response,
          errors: { 403: z.object({ error: z.object({ code: z.string() }) }) },
          to: "shop",
        },
        "POST /api/secret": {
          access: everyone,
          limit,
          body: z.object({ n: z.number() }),
          response,
          to: "shop",
        },
        "GET /api/other": { access: everyone, limit, response, to: "shop" },
        "GET /api/plain": { access: everyone, limit, response, to: "shop" },
      },
    }),
  );
  const events: SecurityEvent[] = [];
  let given: string | undefined = value;
  const egress = createEgress({
    secrets: contract.secrets,
    functions: contract.functions,
    origins: contract.egressOrigins,
    source: {
      get: async (name) =>
        given === undefined ? undefined : { version: 1, value: new Secret(`${name} ${given}`) },
      onChange: () => undefined,
    },
    authorities: new Map([[origin, certificate.ca]]),
    events: (event) => void events.push(event),
  });
  const server = createEgressServer({
    egress,
    name: "egress:edge",
    caller: ({ headers }) => ({ kind: "route", key: decodeURIComponent(String(headers[routeHeader])) }),
  });
  const folder = mkdtempSync(join(tmpdir(), "cw-route-"));
  await server.listen({ path: join(folder, "s") });
  const assertions: { path: string }[] = [];
  const pool = openUpstream({
    contract,
    egressSocket: join(folder, "s"),
    upstream: contract.upstreams.get("shop") as never,
    ca: certificate.ca,
    assertions: {
      sign(facts) {
        assertions.push(facts);
        return "signed";
      },
    },
  });
  context.after(async () => {
    await pool.close();
    server.stop();
    await egress.close(0);
    await server.close();
    service.closeAllConnections();
    service.close();
    rmSync(folder, { recursive: true });
  });
  return {
    asked,
    bodies,
    events,
    assertions,
    server,
    service,
    forget(): void {
      given = undefined;
      egress.forget(["SHOP_KEY"]);
    },
    send(key: string, target: string, body?: unknown): Promise<ForwardedAnswer> {
      const route = contract.routes.find((one) => one.key === key);
      assert.ok(route !== undefined);
      return new Promise(
        (resolve) => void pool.send({ route, id: "r1", target, body, caller: undefined }, resolve),
      );
    },
  };
}

test("a route that uses a secret goes through egress, which adds it; the others go to the upstream, without", async (context) => {
  const { send, asked, bodies, events, assertions } = await open(context);
  const answers = await Promise.all([
    send("GET /api/secret/:id", "/api/secret/7"),
    send("POST /api/secret", "/api/secret", { n: 1 }),
    send("GET /api/plain", "/api/plain"),
  ]);
  for (const answer of answers)
    assert.deepEqual(answer.kind === "answer" && [answer.status, answer.value], [200, { ok: true }]);
  const seen = asked
    .map(({ method, url, headers }) => `${method} ${url} ${headers.authorization ?? "-"}`)
    .toSorted();
  assert.deepEqual(seen, [
    "GET /v1/api/plain -",
    `GET /v1/api/secret/7 Bearer SHOP_KEY ${value}`,
    `POST /v1/api/secret Bearer SHOP_KEY ${value}`,
  ]);
  assert.ok(bodies.includes('{"n":1}'));
  // What is signed is what the upstream sees.
  assert.deepEqual(assertions.map(({ path }) => path).toSorted(), [
    "/v1/api/plain",
    "/v1/api/secret",
    "/v1/api/secret/7",
  ]);
  assert.ok(asked.every(({ headers }) => headers[routeHeader] === undefined));
  assert.ok(asked.every(({ headers, socket }) => headers.host?.endsWith(`:${socket.localPort}`)));
  assert.equal(events.filter(({ type }) => type === "egress.used").length, 2);
});

test("what egress refuses is no answer of the upstream's, whatever statuses the route declares", async (context) => {
  const { send, asked, forget } = await open(context);
  // A route that asks for another's path has no such use.
  const crossed = await send("GET /api/secret/:id", "/api/other");
  assert.deepEqual(crossed, {
    kind: "failed",
    code: "GATEWAY_UPSTREAM_UNAVAILABLE",
    reason: "egress answers EGRESS_USE_UNDECLARED",
  });
  forget();
  const missing = await send("GET /api/secret/:id", "/api/secret/7");
  assert.deepEqual(missing.kind === "failed" && missing.reason, "egress answers EGRESS_SECRET_MISSING");
  assert.equal(asked.length, 0);
});

test("an upstream can't pass its answers off as refusals of egress, and its own refusals come through", async (context) => {
  const { send } = await open(context, (_, response) => {
    response.writeHead(403, { "content-type": "application/json", "x-curtainwall-error": "EGRESS_FAILED" });
    response.end('{"error":{"code":"closed"}}');
  });
  const answer = await send("GET /api/secret/:id", "/api/secret/7");
  assert.deepEqual(answer.kind === "answer" && [answer.status, answer.value], [
    403,
    { error: { code: "closed" } },
  ]);
});

test("what an upstream echoes of the value is not passed on", async (context) => {
  const { send } = await open(context, ({ headers }, response) => {
    response.setHeader("content-type", "application/json").end(JSON.stringify({ ok: headers.authorization }));
  });
  const answer = await send("GET /api/secret/:id", "/api/secret/7");
  assert.ok(!JSON.stringify(answer).includes(value));
});

test("with egress away nothing is sent: not without the secret, and not past it", async (context) => {
  const { send, server, asked } = await open(context);
  server.stop();
  await server.close();
  const answer = await send("GET /api/secret/:id", "/api/secret/7");
  assert.deepEqual(answer.kind === "failed" && answer.code, "GATEWAY_UPSTREAM_UNAVAILABLE");
  assert.equal(asked.length, 0);
  assert.equal((await send("GET /api/plain", "/api/plain")).kind, "answer");
});

test("with the upstream away its route fails as any other does", async (context) => {
  const { send, service } = await open(context);
  service.closeAllConnections();
  service.close();
  const answer = await send("POST /api/secret", "/api/secret", { n: 1 });
  assert.deepEqual(answer.kind === "failed" && answer.reason, "egress answers EGRESS_SERVICE_UNAVAILABLE");
});
