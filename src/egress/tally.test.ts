import assert from "node:assert/strict";
import { test } from "node:test";
import type { SecurityEvent } from "../contract/index.ts";
import { createTally } from "./tally.ts";

test("a flood is told as a number, and none of it is left out", () => {
  const events: SecurityEvent[] = [];
  const tally = createTally({ events: (event) => void events.push(event), now: () => 7, singles: 3 });
  for (let count = 0; count < 1000; count++)
    tally.note("used", { type: "egress.used", caller: "fn:a", tookMs: count });
  tally.note("other", { type: "egress.refused", caller: "fn:a" });
  assert.equal(events.length, 4);
  tally.flush();
  const used = events.filter(({ type }) => type === "egress.used") as { count?: number; tookMs?: number }[];
  assert.equal(
    used.reduce((sum, { count = 0 }) => sum + count, 0),
    1000,
  );
  assert.equal(used.at(-1)?.count, 997);
  assert.equal(used.at(-1)?.tookMs, undefined);
  tally.note("used", { type: "egress.used", caller: "fn:a" });
  assert.equal(events.length, 6);
});

test("kinds that a caller makes up, like hosts, are told apart up to a number only", () => {
  const events: SecurityEvent[] = [];
  const tally = createTally({ events: (event) => void events.push(event), now: () => 7, maxKinds: 10 });
  for (let count = 0; count < 1000; count++)
    tally.note(`host ${count}`, { type: "egress.refused", origin: `https://h${count}.example` });
  assert.equal(events.length, 10);
  tally.flush();
  assert.deepEqual(events.at(-1), { type: "egress.refused", time: 7, count: 990 });
});

test("a caller that is refused in a thousand ways hides neither what it used nor what others did", () => {
  const events: SecurityEvent[] = [];
  const tally = createTally({ events: (event) => void events.push(event), now: () => 7 });
  for (let count = 0; count < 1000; count++)
    tally.note(`host ${count}`, {
      type: "egress.refused",
      caller: "fn:a",
      origin: `https://h${count}.example`,
    });
  const used = { type: "egress.used", caller: "fn:a", secret: "KEY" } as const;
  tally.note("used", used);
  const other = { type: "egress.refused", caller: "fn:b", origin: "https://other.example" } as const;
  tally.note("other", other);
  assert.deepEqual(events.slice(-2), [
    { ...used, time: 7, count: 1 },
    { ...other, time: 7, count: 1 },
  ]);
  tally.flush();
  assert.deepEqual(events.at(-1), { type: "egress.refused", caller: "fn:a", time: 7, count: 950 });
});
