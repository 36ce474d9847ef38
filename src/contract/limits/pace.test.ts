import assert from "node:assert/strict";
import { test } from "node:test";
import { parseFailureLimit } from "./failure-limit.ts";
import { parsePace } from "./pace.ts";

test("a pace says how fast, how many wait and how long; without a burst one passes at a time", () => {
  assert.deepEqual(parsePace("10/s per client, queue 50, wait 2s"), {
    text: "10/s per client, queue 50, wait 2s",
    by: "client",
    count: 10,
    windowSeconds: 1,
    burst: 1,
    queue: 50,
    waitMs: 2000,
  });
  const { by, burst, waitMs } = parsePace("600/5min per route, burst 5, queue 1000, wait 250ms");
  assert.deepEqual([by, burst, waitMs], ["route", 5, 250]);
});

for (const text of [
  "10/s per client",
  "10/s per client, queue 50",
  "10/s per client, wait 2s",
  "10/s per client, queue 0, wait 2s",
  "10/s per client, queue 10001, wait 2s",
  "10/s per client, queue 50, wait 61s",
  "10/s per client, queue 50, wait 0s",
  "0/s per client, queue 50, wait 2s",
  "10/s per client, queue 50, wait 2s, burst 5",
  12,
  undefined,
])
  test(`${JSON.stringify(text)} is no pace, and the error shows how one is written`, () => {
    assert.throws(() => parsePace(text), { code: "CONTRACT_OPTION_INVALID", message: /queue 50, wait 2s"/ });
  });

test("a limit on failures counts a subject, or a field of the request", () => {
  assert.deepEqual(parseFailureLimit("5/15min per client"), {
    text: "5/15min per client",
    by: "client",
    field: [],
    count: 5,
    windowSeconds: 900,
    burst: 5,
  });
  const { by, field, windowSeconds } = parseFailureLimit("20/h per body.account.email");
  assert.deepEqual([by, field, windowSeconds], ["body", ["account", "email"], 3600]);
});

for (const text of [
  "5/15min",
  "5/15min per",
  "5/15min per body",
  "5/15min per body.",
  "5/15min per body.a..b",
  "5/15min per query.email",
  "5/15min per client, burst 2",
  `5/h per body.${"a.".repeat(9)}b`,
  null,
])
  test(`${JSON.stringify(text)} is no limit on failures`, () => {
    assert.throws(() => parseFailureLimit(text), {
      code: "CONTRACT_OPTION_INVALID",
      message: /5\/15min per client/,
    });
  });
