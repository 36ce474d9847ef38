import assert from "node:assert/strict";
import { test } from "node:test";
import { parseLimit } from "../../contract/index.ts";
import { compileLimits } from "./limits.ts";
import type { CompiledLimits } from "./limits.ts";
import { createLimitMemory, createLimitStore } from "./rate-limit.ts";

const epoch = 1_800_000_000_000;

function compile(...texts: string[]): CompiledLimits {
  let id = 0;
  const store = createLimitStore(createLimitMemory({ now: epoch }));
  return compileLimits(texts.map(parseLimit), store, () => ++id);
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
  assert.deepEqual(client?.("a", epoch), {
    state: '"client-1";r=2;t=20, "client-2";r=9;t=360',
    retryAfterSeconds: 0,
  });
  client?.("a", epoch);
  client?.("a", epoch);
  assert.deepEqual(client?.("a", epoch), { state: '"client-1";r=0;t=20', retryAfterSeconds: 20 });
  // One is regained after 20 seconds, and not an instant earlier.
  assert.equal(client?.("a", epoch + 19_999).retryAfterSeconds, 1);
  assert.equal(client?.("a", epoch + 20_000).retryAfterSeconds, 0);
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
      while ((wait = client?.("a", now).retryAfterSeconds ?? 0) === 0);
      now += wait * 1000;
      assert.equal(client?.("a", now).retryAfterSeconds, 0, text);
    }
  }
});

test("a limit of one kind says nothing of the other", () => {
  assert.equal(compile("1/s per client").user, undefined);
  assert.equal(compile("1/s per user").client, undefined);
});

test("a limit whose burst takes longer than 31 days to be regained is refused when it is compiled", () => {
  assert.ok(compile("1/day per client, burst 31"));
  // The contract refuses such a text; whoever builds a limit by hand meets this.
  const long = { ...parseLimit("1/day per client"), burst: 32 };
  assert.throws(() => compileLimits([long], createLimitStore(createLimitMemory()), () => 1), {
    code: "GATEWAY_OPTION_INVALID",
  });
});
