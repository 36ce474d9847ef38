import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { exportJWK, generateKeyPair } from "jose";
import { z } from "zod";
import { certificate, listen, skip } from "../../../test/support/https-server.ts";
import { defineStack, none, ownerLookup, parseContract, upstream } from "../../contract/index.ts";
import type { SecurityEvent } from "../../contract/index.ts";
import { assertionHeader, verifyAssertion } from "../assertion.ts";
import { createAssertionSigner } from "./assertion-signer.ts";
import { createTokenVerifier } from "../callers/token-verifier.ts";
import { callGateway, origin } from "../fixtures/bakery.ts";
import { createKeySource, identity, makeKey, makeToken } from "../fixtures/issuer.ts";
import { createGateway } from "../gateway.ts";
import { createLimitMemory, createLimitStore } from "../limits/rate-limit.ts";
import { createUpstream } from "./upstream.ts";

const { privateKey, publicKey } = await generateKeyPair("EdDSA", { extractable: true });
const publicKeys = { keys: [{ ...(await exportJWK(publicKey)), kid: "a1", alg: "EdDSA" }] };
const tokenKey = await makeKey("EdDSA", "k1");
const text = z.string().max(60);

interface Shop {
  readonly events: SecurityEvent[];
  /** What reached it, as method and path. */
  readonly seen: string[];
  /** What came with a write: its assertion was good, and this was in `If-Match`. */
  readonly writes: (string | undefined)[];
  /** PUTs as somebody. */
  put(): Promise<number>;
}

type Lookup = (response: ServerResponse, socket: Socket) => void;

/** A gateway before a real upstream, which answers look-ups as told and writes by 204. */
async function open(t: TestContext, lookup: Lookup, options: object = {}): Promise<Shop> {
  const seen: string[] = [];
  const writes: (string | undefined)[] = [];
  const events: SecurityEvent[] = [];
  const answer = async (
    request: IncomingMessage,
    response: ServerResponse,
    socket: Socket,
  ): Promise<void> => {
    const { method = "", url = "", headers } = request;
    seen.push(`${method} ${url}`);
    const assertion = headers[assertionHeader] as string;
    const body = await Array.fromAsync(request as AsyncIterable<Uint8Array>);
    const rules = { keys: publicKeys, issuer: origin, audience };
    const verified = await verifyAssertion(
      assertion,
      { method, path: url, body: Buffer.concat(body) },
      rules,
    );
    assert.equal(verified.subject, "alice");
    if (method === "GET") return lookup(response, socket);
    writes.push(headers["if-match"]);
    response.writeHead(204).end();
  };
  const server = await listen(t, (request, response, socket) => void answer(request, response, socket));
  const audience = new URL("/", server.origin).href;
  const access = ownerLookup({ get: "/orders/:id", field: "customer.id", ...options });
  const contract = parseContract(
    defineStack({
      origin,
      identity: { issuer: identity.issuer, audience: identity.audience },
      upstreams: { shop: upstream({ url: server.origin, timeoutMs: 700, maxResponseBytes: 1000 }) },
      routes: {
        "PUT /api/orders/:id": {
          access,
          limit: "99/s per client",
          params: { id: text },
          body: z.object({ note: text }),
          response: none,
          to: "shop",
        },
      },
    }),
  );
  const declared = contract.upstreams.get("shop");
  assert.ok(declared !== undefined);
  const pool = createUpstream({
    upstream: declared,
    ca: certificate.ca,
    assertions: createAssertionSigner({ key: privateKey, keyId: "a1", issuer: origin, audience }),
  });
  t.after(() => pool.close());
  const gateway = createGateway({
    contract,
    limits: createLimitStore(createLimitMemory()),
    tokens: createTokenVerifier({
      identity,
      keys: createKeySource([tokenKey.jwk]),
      digest: (token) => createHash("sha256").update(token).digest("base64url"),
    }),
    events: (event) => events.push(event),
    destinations: new Map([["shop", pool.send]]),
  });
  const token = await makeToken(tokenKey, { claims: { sub: "alice" }, now: Math.floor(Date.now() / 1000) });
  const call = { method: "PUT", target: "/api/orders/o%201", body: '{"note":"x"}', token };
  return { events, seen, writes, put: async () => (await callGateway(gateway, call)).status };
}

const json =
  (body: string, status = 200, headers: Record<string, string> = {}): Lookup =>
  (response) =>
    void response.writeHead(status, { "content-type": "application/json", ...headers }).end(body);

const own = '{"customer":{"id":"alice"}}';

suite("A look-up at a real upstream", { skip }, () => {
  test("goes before the write, each with an assertion of its own for who asks", async (t) => {
    const shop = await open(t, json(own));
    assert.equal(await shop.put(), 204);
    assert.deepEqual(shop.seen, ["GET /orders/o%201", "PUT /api/orders/o%201"]);
    assert.deepEqual([shop.writes, shop.events], [[undefined], []]);
  });

  test("its ETag goes along as If-Match", async (t) => {
    const shop = await open(t, json(own, 200, { etag: '"v7"' }), { ifMatch: true });
    assert.equal(await shop.put(), 204);
    assert.deepEqual(shop.writes, ['"v7"']);
  });

  const refusals: [what: string, lookup: Lookup, status: number][] = [
    ["somebody else's", json('{"customer":{"id":"bob"}}'), 403],
    ["two owners under one name", json('{"customer":{"id":"bob"},"customer":{"id":"alice"}}'), 403],
    ["a redirect to an object of one's own", json(own, 302, { location: "/orders/mine" }), 403],
    ["HTML", (response) => void response.writeHead(200, { "content-type": "text/html" }).end(own), 403],
    ["more than may be read", json(`{"customer":{"id":"alice"},"x":"${"x".repeat(2000)}"}`), 403],
    [
      "half of it",
      (_response, socket) =>
        void socket.end("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 999\r\n\r\n{"),
      403,
    ],
    ["what is compressed", json(own, 200, { "content-encoding": "gzip" }), 403],
    ["no HTTP", (_response, socket) => void socket.end("alice\r\n\r\n"), 403],
    ["nothing, for too long", () => undefined, 504],
    ["an error", json(own, 503), 503],
  ];
  for (const [what, lookup, status] of refusals)
    test(`lets no write pass when it is answered by ${what}`, async (t) => {
      const shop = await open(t, lookup);
      assert.equal(await shop.put(), status);
      assert.deepEqual(shop.writes, []);
      assert.ok(shop.seen.every((line) => line === "GET /orders/o%201"));
    });
});
