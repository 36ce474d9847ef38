import assert from "node:assert/strict";
import type { IncomingMessage, ServerResponse } from "node:http";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { generateKeyPair } from "jose";
import { z } from "zod";
import {
  allOf,
  check,
  defineStack,
  none,
  ownerLookup,
  parseContract,
  upstream,
} from "../src/contract/index.ts";
import type { SecurityEvent } from "../src/contract/index.ts";
import { ask, host, protocols, startEdge } from "../src/edge/node/test-edge.ts";
import type { Protocol } from "../src/edge/node/test-edge.ts";
import { createKeySource, identity, makeKey, makeToken } from "../src/gateway/fixtures/issuer.ts";
import { digestOf } from "../src/gateway/fixtures/prover.ts";
import {
  createGateway,
  createLimitMemory,
  createLimitStore,
  createTokenVerifier,
} from "../src/gateway/index.ts";
import { createAssertionSigner, createUpstream } from "../src/gateway/node.ts";
import { certificate, listen, skip } from "./support/https-server.ts";

// Access that somebody has to be asked about, from a client's connection through the edge to a real upstream and back.

const origin = `https://${host}`;
const tokenKey = await makeKey("EdDSA", "k1");
const { privateKey } = await generateKeyPair("EdDSA", { extractable: true });
const owners: Readonly<Record<string, string>> = { o1: "alice", o2: "bob" };
const largest = 300_000;

async function open(t: TestContext) {
  const writes: string[] = [];
  const events: SecurityEvent[] = [];
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method = "", url = "" } = request;
    const parts = await Array.fromAsync(request as AsyncIterable<Uint8Array>);
    if (method !== "GET") {
      writes.push(`${url} ${Buffer.concat(parts).length}`);
      response.writeHead(204).end();
      return;
    }
    const owner = owners[url.slice("/orders/".length)];
    response.writeHead(owner === undefined ? 404 : 200, { "content-type": "application/json" });
    response.end(owner === undefined ? "{}" : JSON.stringify({ customerId: owner }));
  };
  const server = await listen(t, (request, response) => void answer(request, response));
  const contract = parseContract(
    defineStack({
      origin,
      identity: { issuer: identity.issuer, audience: identity.audience },
      upstreams: { shop: upstream({ url: server.origin }) },
      routes: {
        "PUT /api/orders/:id": {
          access: allOf(
            // Asked while the body is still on its way.
            check("open-now", async ({ query }) => {
              await new Promise((resolve) => setImmediate(resolve));
              return query["now"] !== "closed";
            }),
            ownerLookup({ get: "/orders/:id", field: "customerId" }),
            check("in-order", ({ body }) => (body as { note: string }).note !== "rude", { body: true }),
          ),
          hide: true,
          limit: "6000/min per client",
          params: { id: z.string().max(40) },
          query: { now: z.string().max(9).optional() },
          body: z.object({ note: z.string().max(largest) }),
          jsonLimits: { textLength: largest },
          maxBodyBytes: 2 * largest,
          concurrency: 4,
          response: none,
          to: "shop",
        },
      },
    }),
  );
  const declared = contract.upstreams.get("shop");
  assert.ok(declared !== undefined);
  const audience = new URL("/", server.origin).href;
  const pool = createUpstream({
    upstream: declared,
    ca: certificate.ca,
    assertions: createAssertionSigner({ key: privateKey, keyId: "a1", issuer: origin, audience }),
  });
  t.after(() => pool.close());
  const gateway = createGateway({
    contract,
    limits: createLimitStore(createLimitMemory()),
    tokens: createTokenVerifier({ identity, keys: createKeySource([tokenKey.jwk]), digest: digestOf }),
    events: (event) => events.push(event),
    destinations: new Map([["shop", pool.send]]),
  });
  const { port } = await startEdge(t, { api: gateway });
  const now = Math.floor(Date.now() / 1000);
  const authorization = `Bearer ${await makeToken(tokenKey, { now, claims: { sub: "alice" } })}`;
  const put = async (protocol: Protocol, path: string, note: string): Promise<number> => {
    const headers = { authorization, "content-type": "application/json" };
    const { status } = await ask(protocol, port, {
      method: "PUT",
      path,
      headers,
      body: JSON.stringify({ note }),
    });
    return status;
  };
  return { put, writes, events };
}

for (const protocol of protocols)
  suite(`Access that is asked for, over ${protocol}`, { skip }, () => {
    test("one's own is written, with all of a body that came while somebody was asked", async (t) => {
      const { put, writes, events } = await open(t);
      assert.equal(await put(protocol, "/api/orders/o1", "x".repeat(largest)), 204);
      assert.deepEqual(writes, [`/api/orders/o1 ${largest + '{"note":""}'.length}`]);
      assert.deepEqual(events, []);
    });

    test("another's, what is missing, what a check refuses before and behind the body: 404, and nothing is written", async (t) => {
      const { put, writes } = await open(t);
      const large = "x".repeat(largest);
      assert.equal(await put(protocol, "/api/orders/o2", "hello"), 404);
      assert.equal(await put(protocol, "/api/orders/o3", "hello"), 404);
      assert.equal(await put(protocol, "/api/orders/o1?now=closed", large), 404);
      assert.equal(await put(protocol, "/api/orders/o1", "rude"), 404);
      assert.deepEqual(writes, []);
    });

    test("of many at once as many are under way as may be, and none of another's is written", async (t) => {
      const { put, writes } = await open(t);
      const paths = Array.from({ length: 24 }, (_, index) => `/api/orders/o${(index % 2) + 1}`);
      const statuses = await Promise.all(paths.map((path) => put(protocol, path, "hello")));
      statuses.forEach((status, index) =>
        assert.ok(status === 503 || status === (index % 2 === 0 ? 204 : 404), `${paths[index]}: ${status}`),
      );
      assert.ok(statuses.includes(503) && statuses.includes(204));
      assert.ok(writes.every((line) => line.startsWith("/api/orders/o1 ")));
      assert.equal(writes.length, statuses.filter((status) => status === 204).length);
      // Every door was left.
      assert.equal(await put(protocol, "/api/orders/o1", "hello"), 204);
    });
  });
