// The audit against the real edge and gateway, with a contract that uses what a contract can declare besides JSON: forms, headers, cookies, event
// streams, downloads, ETags, declared errors, API keys, scopes, tenants, sessions that are created, webhooks, a pace. What is honest must be proved.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { rules } from "../src/audit/rules/index.ts";
import { runCheck } from "../src/audit/check.ts";
import { testCertificate } from "../src/audit/fixtures/certificate.ts";
import { exchangeScene } from "../src/audit/fixtures/exchange-scene.ts";
import { signDelivery } from "../src/audit/fixtures/hooks.ts";
import { createIssuer } from "../src/audit/fixtures/issuer.ts";
import { createMadeOrders } from "../src/audit/fixtures/made-orders.ts";
import { bob, planted } from "../src/audit/fixtures/orders.ts";
import { buildRelease } from "../src/audit/fixtures/site.ts";
import { openContext } from "../src/audit/node/open-context.ts";
import { runAudit } from "../src/audit/node/run.ts";
import type { AuditOptions } from "../src/audit/node/run.ts";
import { baseSecurityHeaders } from "../src/contract/index.ts";
import type { Contract, SecurityEvent } from "../src/contract/index.ts";
import { createEdgeServer } from "../src/edge/node/edge-server.ts";
import type { EdgeServer } from "../src/edge/node/edge-server.ts";
import { createWebhookChecks } from "../src/egress/index.ts";
import { createKeySource } from "../src/gateway/fixtures/issuer.ts";
import { createApiKeys, createGateway, createLimitMemory, createLimitStore } from "../src/gateway/index.ts";
import type { BodyStream, Destination, ForwardedAnswer, WebhookVerifier } from "../src/gateway/index.ts";
import { Secret } from "../src/shared/index.ts";
import { openApiKeyFile, tokenDigest } from "../src/gateway/node.ts";
import { createTokenVerifier } from "../src/gateway/callers/token-verifier.ts";

const root = mkdtempSync(join(tmpdir(), "curtainwall-audit-exchange-"));
const ledger: SecurityEvent[] = [];
let edge: EdgeServer;
let options: AuditOptions;

const written = new Map<string, number>();
const json = (value: unknown, headers: Record<string, string> = {}, status = 200): ForwardedAnswer => ({
  kind: "answer",
  status,
  value,
  headers,
});

/** A body that is there at once; an event stream goes on afterwards. */
const parts = (text: string, goesOn: boolean): BodyStream => ({
  start(sink) {
    sink.write(new TextEncoder().encode(text));
    if (!goesOn) sink.end();
  },
  resume: () => undefined,
  cancel: () => undefined,
});

/** A careless upstream: it says more than it should wherever it can. */
const answers: Readonly<Record<string, (target: string, body: unknown) => ForwardedAnswer>> = {
  "/api/oven": () => ({
    kind: "stream",
    type: "text/event-stream",
    length: undefined,
    headers: { "x-served-by": "shop-3" },
    stream: parts(
      `event: cost\ndata: {"cents":90}\n\nevent: batch\ndata: ${JSON.stringify({ bread: "Rye", loaves: 12, cost: planted })}\n\n`,
      true,
    ),
  }),
  "/api/users/:user/invoice": (target) => ({
    kind: "stream",
    type: "application/pdf",
    length: undefined,
    headers: { "content-disposition": "inline" },
    stream: parts(`%PDF-1.7 invoice of ${target.includes(bob) ? "bob" : "alice"}`, false),
  }),
  "/api/letters": (_, body) => {
    if (String(body).includes("known")) return json({ known: true, since: "2026" }, {}, 409);
    count("/api/letters");
    return json({ received: true, cost: planted }, { location: "/thanks/", "x-served-by": "shop-3" });
  },
  "/api/notes": () => {
    count("/api/notes");
    return json({ received: true });
  },
  "/api/session": (_, body) => {
    if ((body as { code: string }).code === "BROKEN")
      return json({ error: `no such table: sessions ${planted}`, stack: "at shop.ts:1:1" }, {}, 500);
    count("/api/session");
    return json({ received: true });
  },
  "/api/reports": () => json({ loaves: 12, cost: planted }, { "x-pages": "2" }),
  "/api/orgs/:org/bills": () => json({ bills: 3 }),
  "/api/hooks/flour": () => {
    count("/api/hooks/flour");
    return json({ received: true, cost: planted });
  },
  "/api/hooks/parcels": () => {
    count("/api/hooks/parcels");
    return json({ received: true });
  },
  "/api/queue": () => json({ received: true }),
};

const count = (path: string): unknown => written.set(path, (written.get(path) ?? 0) + 1);
const upstream: Destination = ({ route, target, body }, done) => {
  const answer = answers[route.path];
  if (answer !== undefined) done(answer(target, body));
};

/** Keys of the senders of webhooks, by their secrets' names. */
const senderKeys = new Map(
  ["MILL_KEY", "COURIER_KEY"].map((name) => [name, crypto.getRandomValues(new Uint8Array(32))]),
);
const senderKey = (name = ""): Uint8Array => senderKeys.get(name) ?? new Uint8Array();

/** Egress's own checks, without the socket between. They began to remember a while ago. */
function createVerifier(contract: Contract): WebhookVerifier {
  let isBegun = false;
  const checks = createWebhookChecks({
    routes: contract.routes,
    keys: {
      keysOf: async (name) => [
        { version: 1, value: new Secret(`whsec_${Buffer.from(senderKey(name)).toString("base64")}`) },
      ],
    },
    events: (event) => ledger.push(event),
    now: () => {
      const aWhileAgo = isBegun ? 0 : 5000;
      isBegun = true;
      return Date.now() - aWhileAgo;
    },
  });
  return {
    async verify(request) {
      const verdict = await checks.check(request);
      return verdict.kind === "genuine"
        ? { kind: "genuine", settle: async (isTaken) => void (await checks.settle(verdict.ticket, isTaken)) }
        : verdict;
    },
  };
}

/** A port that is free now; the origin must be known before the edge listens. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

before(async () => {
  const certificate = await testCertificate();
  const port = await freePort();
  const origin = `https://localhost:${port}`;
  const { jwk, users, loser, signToken } = await createIssuer(origin);
  const contract = exchangeScene.describe(origin);
  const keyFile = openApiKeyFile(join(root, "api-keys.json"));
  const make = (scope: string, tenant?: string): string =>
    keyFile.create({ scopes: [scope], ...(tenant === undefined ? {} : { tenant }) }).key;
  const keys = {
    robot: make("reports:read", "acme"),
    poor: make("letters:read"),
    revoked: make("reports:read"),
  };
  keyFile.revoke(keys.revoked.slice(4, 12));
  const apiKeys = createApiKeys({ digest: tokenDigest, events: (event) => ledger.push(event) });
  apiKeys.replace(readFileSync(join(root, "api-keys.json"), "utf8"));
  const { identity } = contract;
  assert.ok(identity !== undefined);
  const gateway = createGateway({
    contract,
    destinations: new Map([["shop", upstream]]),
    limits: createLimitStore(createLimitMemory()),
    tokens: createTokenVerifier({ identity, keys: createKeySource([jwk]), digest: tokenDigest }),
    apiKeys,
    webhooks: createVerifier(contract),
    events: (event) => ledger.push(event),
    digest: tokenDigest,
  });
  const release = await buildRelease(new Set(), [
    {
      path: "/jwks",
      headers: [["content-type", "application/json"], ...baseSecurityHeaders],
      bytes: { identity: new TextEncoder().encode(JSON.stringify({ keys: [jwk] })) },
    },
  ]);
  edge = createEdgeServer({ release, origin, certificate, api: gateway });
  await edge.listen({ host: "127.0.0.1", port });
  writeFileSync(join(root, "ca.pem"), certificate.ca);
  options = {
    contract,
    release,
    target: new URL(origin),
    ca: certificate.ca,
    root,
    maxSlowMs: 2000,
    plan: exchangeScene.plan({
      users,
      loser,
      signToken,
      revoke: () => undefined,
      keys,
      hooks: {
        sign: (key, body, at) =>
          signDelivery(
            senderKey(contract.routes.find((route) => route.key === key)?.webhook?.secret),
            body,
            at,
          ),
      },
      written: (path) => written.get(path) ?? 0,
      redeemed: () => 0,
      made: createMadeOrders(new Set()),
    }),
    lookUpLedger: async (id) => ledger.find((event) => "id" in event && event.id === id),
  };
});

after(async () => {
  await edge?.close(0);
  rmSync(root, { recursive: true, force: true });
});

for (const id of ["API-1", "API-3", "API-5", "API-7", "FE-4"])
  test(`${id} is proved of the real edge and gateway, whatever their upstream says`, async () => {
    const { rows } = await runAudit({ ...options, only: [id] });
    const [row] = rows;
    const faults = row?.checks
      .filter(({ state }) => state === "failed" || state === "missing")
      .map(({ name, state, reason, evidence }) => `${name}: ${state}: ${reason ?? evidence[0]?.about}`);
    assert.deepEqual(faults, []);
    assert.equal(row?.verdict, "proved");
  });

test("the gateway's pace is seen to be kept", async () => {
  const { context, close } = await openContext(options);
  try {
    const check = rules
      .find(({ id }) => id === "API-2")
      ?.checks.find(({ name }) => name === "who comes too fast waits, and then is told when to come back");
    assert.ok(check !== undefined);
    const { state, reason } = await runCheck(check, "API-2", context);
    assert.deepEqual([state, reason], ["passed", undefined]);
  } finally {
    await close();
  }
});
