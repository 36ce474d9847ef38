import assert from "node:assert/strict";
import { test } from "node:test";
import { parseLimit } from "../../contract/index.ts";
import { countedLimit } from "./counting.ts";
import { compileLimits } from "./limits.ts";
import type { LimitCharge } from "./limits.ts";
import { createGateMemory, openGates } from "./gates.ts";
import { createLimitMemory, createLimitStore } from "./rate-limit.ts";

const epoch = 1_800_000_000_000;

interface Who {
  address?: string;
  subject?: string;
  tenant?: string;
  keyId?: string;
}
const requester = ({ address = "192.0.2.1", subject = "", ...caller }: Who) => ({
  request: { remoteAddress: address },
  caller: { subject, roles: [], ...caller },
});

function compile(...texts: string[]) {
  let id = 0;
  let counter = 0;
  const { policy, arrival, known } = compileLimits("GET /a", texts.map(parseLimit), {
    store: createLimitStore(createLimitMemory({ now: epoch })),
    nextId: () => ++id,
    counters: openGates(createGateMemory({ counters: 8, doors: 0, now: epoch })).counters,
    nextCounter: () => counter++,
    ipv6Prefix: 64,
  });
  return {
    policy,
    arrival,
    known,
    client: (address: string, now: number): LimitCharge | undefined =>
      arrival?.chargeHere(requester({ address }), now),
    caller: (who: Who): LimitCharge | undefined => known?.chargeHere(requester(who), epoch),
  };
}

test("a policy names the burst and the time in which all of it is regained", () => {
  assert.equal(compile("120/min per client").policy, '"client";q=120;w=60');
  assert.equal(compile("60/h per user, burst 10").policy, '"user";q=10;w=600');
  assert.equal(compile("1/s per client, burst 90").policy, '"client";q=90;w=90');
  assert.equal(compile("7/min per client, burst 1").policy, '"client";q=1;w=9');
  assert.equal(
    compile("9/s per user", "1000/day per client", "60/min per client").policy,
    '"client-1";q=60;w=60, "client-2";q=1000;w=86400, "user";q=9;w=1',
  );
  assert.equal(compile().policy, "");
});

test("what is left and when all is regained are told of each limit charged", () => {
  const { client } = compile("3/min per client", "10/h per client");
  assert.deepEqual(client("a", epoch), {
    state: '"client-1";r=2;t=20, "client-2";r=9;t=360',
    retryAfterSeconds: 0,
  });
  client("a", epoch);
  client("a", epoch);
  assert.deepEqual(client("a", epoch), { state: '"client-1";r=0;t=20', retryAfterSeconds: 20 });
  // One is regained after 20 seconds, and not an instant earlier.
  assert.equal(client("a", epoch + 19_999)?.retryAfterSeconds, 1);
  assert.equal(client("a", epoch + 20_000)?.retryAfterSeconds, 0);
});

test("whoever waits as long as it is told is admitted", () => {
  for (const text of [
    "7/s per client",
    "11/min per client, burst 3",
    "1/day per client",
    "999/h per client",
  ]) {
    const { client } = compile(text);
    let now = epoch;
    for (let round = 0; round < 20; round++) {
      let wait = 0;
      while ((wait = client("a", now)?.retryAfterSeconds ?? 0) === 0);
      now += wait * 1000;
      assert.equal(client("a", now)?.retryAfterSeconds, 0, text);
    }
  }
});

test("a limit of one kind says nothing of the other", () => {
  assert.equal(compile("1/s per client").known, undefined);
  assert.equal(compile("1/s per user").arrival, undefined);
});

test("callers are charged by subject, by key and by tenant; one of no tenant has a counter of its own", () => {
  const { caller } = compile("3/min per user", "4/min per key", "5/min per tenant");
  const leftOf = (who: Who): string | undefined => caller(who)?.state.replaceAll(/;t=\d+/g, "");
  assert.equal(leftOf({ subject: "ada", tenant: "t", keyId: "k" }), '"user";r=2, "key";r=3, "tenant";r=4');
  assert.equal(leftOf({ subject: "bob", tenant: "t", keyId: "k" }), '"user";r=2, "key";r=2, "tenant";r=3');
  assert.equal(leftOf({ subject: "eve" }), '"user";r=2, "key";r=3, "tenant";r=4');
  assert.equal(leftOf({ subject: "mallory" }), '"user";r=2, "key";r=3, "tenant";r=4');
  // A tenant that calls itself like a subject's own counter is another.
  assert.equal(
    leftOf({ subject: "x", tenant: "user eve", keyId: "user eve" }),
    '"user";r=2, "key";r=3, "tenant";r=4',
  );
});

test("a route's own limit counts all clients, and not those that their own limit refuses", () => {
  const { client, policy } = compile("5/min per route", "2/min per client");
  assert.equal(policy, '"client";q=2;w=60, "route";q=5;w=60');
  for (let count = 0; count < 9; count++) client("192.0.2.1", epoch);
  assert.match(client("192.0.2.2", epoch)?.state ?? "", /"route";r=2/);
  client("192.0.2.2", epoch);
  assert.match(client("192.0.2.3", epoch)?.state ?? "", /"route";r=0/);
  assert.equal(client("192.0.2.4", epoch)?.retryAfterSeconds, 12);
});

test("what is charged elsewhere is read as what is charged here", () => {
  const { arrival } = compile("3/min per client", "10/h per client");
  const charges = arrival?.chargesOf(requester({})) ?? [];
  assert.deepEqual(
    charges.map(({ limit, key, cost }) => [limit.name, key, cost]),
    [
      ["GET /a client 3/60, 3", "192.0.2.1", 1],
      ["GET /a client 10/3600, 10", "192.0.2.1", 1],
    ],
  );
  assert.deepEqual(arrival?.read([2, 9]), arrival?.chargeHere(requester({}), epoch));
  assert.equal(arrival?.read([2, -1500]).retryAfterSeconds, 2);
});

test("a limit whose burst takes longer than 31 days to be regained is refused when it is compiled", () => {
  assert.ok(compile("1/day per client, burst 31"));
  // The contract refuses such a text; whoever builds a limit by hand meets this.
  const long = { ...parseLimit("1/day per client"), burst: 32 };
  assert.throws(() => countedLimit(long, "a", createLimitStore(createLimitMemory()), 1), {
    code: "GATEWAY_OPTION_INVALID",
  });
});
