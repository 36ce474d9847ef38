import assert from "node:assert/strict";
import { test } from "node:test";
import type { ContractRoute, SecurityEvent } from "../../contract/index.ts";
import { createObservations } from "./observations.ts";

const route = {
  key: "GET /api/x",
  observe: { until: "2026-12-31", untilMs: 1_000_000_000 },
} as unknown as ContractRoute;

test("however much comes, two events a minute are told of a route and a code, and no name of a field beyond twenty", () => {
  const events: SecurityEvent[] = [];
  let now = 0;
  const later: { at: number; run: () => void }[] = [];
  const observations = createObservations({
    events: (event) => events.push(event),
    now: () => now,
    schedule: (delayMs, run) => {
      const entry = { at: now + delayMs, run };
      later.push(entry);
      return () => void later.splice(later.indexOf(entry), 1);
    },
  });
  const observation = observations.of(route);
  for (let index = 0; index < 10_000; index++)
    observation?.note("GATEWAY_INPUT_INVALID", [`query/x${index}`]);
  assert.equal(events.length, 1);
  now = 60_000;
  for (const { run } of later.splice(0)) run();
  const counts = events.map(
    (event) => event.type === "gateway.request.observed" && [event.count, event.fields?.length],
  );
  assert.deepEqual(counts, [
    [1, 1],
    [9999, 20],
  ]);
  observation?.note("GATEWAY_INPUT_INVALID", []);
  observation?.note("GATEWAY_INPUT_INVALID", []);
  observations.close();
  assert.equal(events.length, 4);
  assert.deepEqual(later, [], "no timer is left");
  assert.equal(
    createObservations({ events: () => undefined, now: () => 0, schedule: () => () => undefined }).of({
      key: "x",
    } as ContractRoute),
    undefined,
  );
});
