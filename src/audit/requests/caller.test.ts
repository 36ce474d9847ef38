import assert from "node:assert/strict";
import { test } from "node:test";
import { isCurtainwallError } from "../../shared/index.ts";
import { isOutOfTime } from "../out-of-time.ts";
import { createCaller } from "./caller.ts";
import type { Caller } from "./caller.ts";
import type { AuditPlan } from "../plan/plan.ts";
import type { ProbeRequest, ProbeResponse, Wire } from "../probes/probe.ts";
import { startSite } from "../fixtures/site.ts";
import type { ContractRoute } from "../../contract/index.ts";

const { contract, close } = await startSite();
await close();
const route = contract.routes.find(({ key }) => key === "POST /api/contact") as ContractRoute;

const answer = (status: number, headers: [string, string][] = []): ProbeResponse => ({
  protocol: "http/1.1",
  status,
  headers,
  body: new Uint8Array(),
  truncated: false,
  durationMs: 1,
  header: (name) => headers.find(([candidate]) => candidate === name)?.[1],
  text: () => "",
});

/** A target that answers in order, and notes who asked. */
function createTarget(
  answers: ProbeResponse[],
  canChangeClient: boolean,
  signatures?: AuditPlan["signatures"],
): { caller: Caller; clients: (string | undefined)[]; naps: number[] } {
  const clients: (string | undefined)[] = [];
  const naps: number[] = [];
  const wire: Wire = {
    canChangeClient,
    send: async (request: ProbeRequest) => {
      clients.push(request.client);
      return answers.shift() ?? answer(200);
    },
    abandon: () => assert.fail("nobody goes away"),
    connect: () => assert.fail("nobody asks for one"),
    sendRaw: async () => answer(400),
    trickle: async () => ({ ended: true, afterMs: 1, received: new Uint8Array() }),
  };
  const tokens = {
    valid: async () => "a.b.c",
    second: async () => undefined,
    expired: async () => "a.b.c",
    otherAudience: async () => "a.b.c",
    isProgram: () => false,
    apiKey: async () => "key",
    wasTaken: () => false,
    afterwards: async () => [],
    revokedKey: async () => "key",
  };
  const caller = createCaller({
    contract,
    wire,
    tokens,
    signatures,
    sleep: async (milliseconds) => void naps.push(milliseconds),
    remainingMs: () => 30_000,
  });
  return { caller, clients, naps };
}

const limited = (seconds: string): ProbeResponse => answer(429, [["retry-after", seconds]]);

test("on loopback each client's allowance is spent, then the next address goes on", async () => {
  const { caller, clients } = createTarget([], true);
  for (let count = 0; count < 25; count++) await caller.call({ route, input: {} });
  assert.equal(new Set(clients).size, 3);
  assert.ok(clients.every((client) => /^127\.\d+\.\d+\.\d+$/.test(client ?? "") && client !== "127.0.0.1"));
});

test("a client that has made no request yet is no other's, however many there were", () => {
  const { caller } = createTarget([], true);
  const clients = Array.from({ length: 2000 }, () => caller.freshClient());
  assert.equal(new Set(clients).size, 2000);
  assert.ok(clients.every((client) => /^127\.\d+\.\d+\.([1-9]\d*)$/.test(client ?? "")));
});

test("elsewhere a 429 is waited out as Retry-After says, and is never the answer", async () => {
  const { caller, naps } = createTarget([limited("3"), limited("2")], false);
  const { response } = await caller.call({ route, input: {} });
  assert.equal(response.status, 200);
  assert.deepEqual(naps, [3100, 2100]);
});

test("a wait longer than what is left of the audit is an error that says so; of one that no audit waits for it says nothing of time", async () => {
  for (const [seconds, isLate] of [
    ["29", true],
    ["3600", false],
  ] as const) {
    const { caller, naps } = createTarget([limited(seconds)], false);
    await assert.rejects(caller.call({ route, input: {} }), (error) => {
      assert.ok(isCurtainwallError(error, "AUDIT_BUDGET_SPENT"));
      assert.equal(isOutOfTime(error.message), isLate, error.message);
      return true;
    });
    assert.deepEqual(naps, []);
  }
});

test("a target that always says 429 is given up", async () => {
  const { caller } = createTarget(
    Array.from({ length: 100 }, () => limited("0")),
    false,
  );
  await assert.rejects(caller.call({ route, input: {} }), (error) =>
    isCurtainwallError(error, "AUDIT_BUDGET_SPENT"),
  );
});

test("a gateway that has too much to do is asked again twice, then it is the answer", async () => {
  const busy = {
    ...answer(503, [["retry-after", "1"]]),
    text: () => '{"code":"GATEWAY_OVERLOADED"}',
  };
  const { caller, naps } = createTarget([busy, busy, answer(401), busy, busy, busy], false);
  assert.equal((await caller.call({ route, input: {} })).response.status, 401);
  assert.deepEqual(naps, [1100, 1100]);
  assert.equal((await caller.call({ route, input: {} })).response.status, 503);
  const other = { ...busy, text: () => '{"code":"GATEWAY_UPSTREAM_UNAVAILABLE"}' };
  const { caller: patient, naps: none } = createTarget([other], false);
  assert.equal((await patient.call({ route, input: {} })).response.status, 503);
  assert.deepEqual(none, []);
});

test("a call is put together from the route and its input, encoded", async () => {
  const { caller } = createTarget([], true);
  const owned = contract.routes.find(({ key }) => key === "GET /api/users/:user/orders") as ContractRoute;
  const request = await caller.request({
    route: owned,
    input: { params: { user: "a/b c" }, query: { q: "1&2" } },
    as: "alice",
  });
  assert.equal(request.path, "/api/users/a%2Fb%20c/orders?q=1%262");
  assert.deepEqual(request.headers, [
    ["accept", "application/json"],
    ["authorization", "Bearer a.b.c"],
  ]);
});

test("what can't check signatures now is asked again twice, then once each time, and never judged", async () => {
  const signed = contract.routes.find(({ webhook }) => webhook !== undefined) ?? route;
  const away = { ...answer(503), text: () => `{"code":"GATEWAY_WEBHOOKS_UNAVAILABLE"}` };
  const { caller, clients, naps } = createTarget([away, away, away, away, answer(204)], true, {
    [signed.key]: async () => ({ "webhook-signature": "v1,x" }),
  });
  const call = (): Promise<unknown> => caller.call({ route: signed, input: {} });
  const isAway = (error: unknown): boolean => isCurtainwallError(error, "AUDIT_ROUTE_UNAVAILABLE");
  await assert.rejects(call(), isAway);
  assert.equal(clients.length, 3);
  await assert.rejects(call(), isAway);
  assert.deepEqual([clients.length, naps], [4, [1100, 1100]]);
  await call();
  assert.equal(clients.length, 5);
});
