import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { TestContext } from "node:test";
import { z } from "zod";
import { defineStack, parseContract, signedIn, upstream } from "../src/contract/index.ts";
import type { SecurityEvent } from "../src/contract/index.ts";
import { host, openRaw, protocols, readToEnd, startEdge, ask } from "../src/edge/node/test-edge.ts";
import { createKeySource, identity, makeKey, makeToken } from "../src/gateway/fixtures/issuer.ts";
import { digestOf, makeProver } from "../src/gateway/fixtures/prover.ts";
import {
  createGateway,
  createLimitMemory,
  createLimitStore,
  createProofMemory,
  createProofVerifier,
  createSessionVerifier,
  createTokenVerifier,
} from "../src/gateway/index.ts";

// Credentials as they come over real connections: twice, in two lines, in other letters.

const origin = `https://${host}`;
const issuerKey = await makeKey("EdDSA", "k1");
const prover = await makeProver();
const id = "A".repeat(43);
const nowSeconds = (): number => Math.floor(Date.now() / 1000);

async function open(t: TestContext) {
  const contract = parseContract(
    defineStack({
      origin,
      identity: { issuer: identity.issuer, audience: identity.audience, dpop: "accepted" },
      sessions: {},
      upstreams: { shop: upstream({ url: "https://shop.internal" }) },
      routes: {
        "GET /api/me": {
          access: signedIn,
          limit: "600/min per client",
          response: z.object({ who: z.string() }),
          to: "shop",
        },
      },
    }),
  );
  const events: SecurityEvent[] = [];
  const session = { caller: { subject: "sally", roles: [] }, issuedAt: 1, expiresMs: Date.now() + 600_000 };
  const gateway = createGateway({
    contract,
    limits: createLimitStore(createLimitMemory()),
    tokens: createTokenVerifier({
      identity: { ...identity, dpop: "accepted" },
      keys: createKeySource([issuerKey.jwk]),
      digest: digestOf,
    }),
    proofs: createProofVerifier({ origin, memory: createProofMemory({ now: Date.now() - 60_000 }) }),
    sessions: createSessionVerifier({
      store: { find: (name) => (name === digestOf(id) ? session : undefined) },
      digest: digestOf,
      events: (event) => events.push(event),
    }),
    events: (event) => events.push(event),
    destinations: new Map([
      [
        "shop",
        ({ caller }, done) => done({ kind: "answer", status: 200, value: { who: caller?.subject ?? "" } }),
      ],
    ]),
  });
  const { port } = await startEdge(t, { api: gateway });
  const token = await makeToken(issuerKey, {
    now: nowSeconds(),
    claims: { cnf: { jkt: prover.thumbprint } },
  });
  const prove = () => prover.prove({ now: nowSeconds(), htu: `${origin}/api/me`, token });
  return { port, events, authorization: `DPoP ${token}`, prove };
}

for (const protocol of protocols)
  suite(`Credentials over ${protocol}`, () => {
    test("a token with its proof, and a session, say who calls", async (t) => {
      const { port, authorization, prove } = await open(t);
      const byToken = await ask(protocol, port, {
        path: "/api/me",
        headers: { authorization, dpop: await prove() },
      });
      assert.deepEqual([byToken.status, byToken.body.toString()], [200, '{"who":"alice"}']);
      const cookie = `__Host-session=${id}`;
      const bySession = await ask(protocol, port, { path: "/api/me", headers: { cookie } });
      assert.deepEqual([bySession.status, bySession.body.toString()], [200, '{"who":"sally"}']);
      assert.equal((await ask(protocol, port, { path: "/api/me" })).status, 401);
    });

    test("two proofs are none, in two lines too", async (t) => {
      const { port, authorization, prove } = await open(t);
      const dpop = [await prove(), await prove()];
      const { status } = await ask(protocol, port, { path: "/api/me", headers: { authorization, dpop } });
      assert.equal(status, 401);
      for (const one of dpop)
        assert.equal(
          (await ask(protocol, port, { path: "/api/me", headers: { authorization, dpop: one } })).status,
          200,
        );
    });

    test("a session's cookie twice is none, in two fields too", async (t) => {
      const { port } = await open(t);
      const other = `__Host-session=${"B".repeat(43)}`;
      for (const cookie of [
        [`__Host-session=${id}`, other],
        [other, `__Host-session=${id}`],
        [`a=b; __Host-session=${id}`, `__Host-session=${id}`],
      ])
        assert.equal((await ask(protocol, port, { path: "/api/me", headers: { cookie } })).status, 401);
    });

    test("a proof that is larger than all headers may be is cut off before anybody reads it", async (t) => {
      const { port, authorization, events } = await open(t);
      const dpop = await prover.prove({
        now: nowSeconds(),
        htu: `${origin}/api/me`,
        token: authorization.slice(5),
        claims: { jti: "a".repeat(1_000_000) },
      });
      const asked = ask(protocol, port, { path: "/api/me", headers: { authorization, dpop } });
      const status = await asked.then((answer) => answer.status).catch(() => 0);
      assert.ok(status === 0 || status === 431, `${status}`);
      assert.deepEqual(events, []);
    });
  });

test("two Authorization lines are refused, whichever comes first", async (t) => {
  const { port, authorization, prove } = await open(t);
  const dpop = await prove();
  const bearer = `Bearer ${await makeToken(issuerKey, { now: nowSeconds(), claims: { sub: "mallory" } })}`;
  for (const both of [
    [authorization, bearer],
    [bearer, authorization],
  ]) {
    const socket = await openRaw(port);
    const lines = ["GET /api/me HTTP/1.1", `Host: ${host}`, "Connection: close", `DPoP: ${dpop}`];
    socket.write(`${[...lines, ...both.map((one) => `Authorization: ${one}`)].join("\r\n")}\r\n\r\n`);
    const answer = await readToEnd(socket);
    assert.match(answer, /^HTTP\/1\.1 400 /);
    assert.ok(!answer.includes("mallory"));
  }
});
