import assert from "node:assert/strict";
import { test } from "node:test";
import type { SecurityEvent } from "../../contract/index.ts";
import { openBakery } from "../fixtures/bakery.ts";
import type { Bakery } from "../fixtures/bakery.ts";

const rye = { id: "rye", name: "Rye" };

/** What the log was told of answers that were trimmed: route, fields, how often. */
const told = (events: readonly SecurityEvent[]): unknown[] =>
  events.map((event) =>
    event.type === "gateway.answer.trimmed" ? [event.route, event.fields, event.count] : event.type,
  );

async function get(bakery: Bakery, target: string, more: object, times = 1): Promise<void> {
  bakery.answer = () => ({ kind: "answer", status: 200, value: { ...rye, ...more } });
  for (let count = 0; count < times; count++) {
    const reply = await bakery.call({ target });
    assert.deepEqual(reply.json(), rye, "told or not, nothing of it leaves");
  }
}

test("an answer that always has a field too many is told at once, then once a minute with how often", async () => {
  const bakery = openBakery();
  const at = ["GET /api/products/:id", ["/cost"]];
  await get(bakery, "/api/products/rye", { cost: 1 }, 100);
  assert.deepEqual(told(bakery.events), [[...at, 1]]);
  bakery.clock.now += 59_999;
  await get(bakery, "/api/products/rye", { cost: 1 });
  assert.equal(bakery.events.length, 1);
  bakery.clock.now += 1;
  await get(bakery, "/api/products/rye", { cost: 1 }, 2);
  assert.deepEqual(told(bakery.events), [
    [...at, 1],
    [...at, 101],
  ]);
  bakery.gateway.close();
  assert.deepEqual(told(bakery.events).at(-1), [...at, 1]);
  bakery.gateway.close();
  assert.equal(bakery.events.length, 3, "nothing is told twice");
});

test("other fields, and another route, are told at once beside it, whatever order they come in", async () => {
  const bakery = openBakery();
  await get(bakery, "/api/products/rye", { cost: 1 });
  await get(bakery, "/api/products/rye", { cost: 1, margin: 2 });
  await get(bakery, "/api/products/rye", { margin: 2, cost: 1 });
  await get(bakery, "/api/products/featured", { cost: 1 });
  assert.deepEqual(told(bakery.events), [
    ["GET /api/products/:id", ["/cost"], 1],
    ["GET /api/products/:id", ["/cost", "/margin"], 1],
    ["GET /api/products/featured", ["/cost"], 1],
  ]);
  const other = openBakery();
  await get(other, "/api/products/rye", { cost: 1 });
  assert.equal(other.events.length, 1, "each gateway tells for itself");
});

test("names without end are counted beyond twenty sets, hide no other route, and are told apart again later", async () => {
  const bakery = openBakery();
  for (let count = 0; count < 300; count++)
    await get(bakery, "/api/products/rye", { [`made-up-${count}`]: 1 });
  assert.equal(bakery.events.length, 21);
  await get(bakery, "/api/products/featured", { cost: 1 });
  assert.equal(bakery.events.length, 22);
  bakery.clock.now += 60_000;
  await get(bakery, "/api/products/rye", { fresh: 1 });
  assert.deepEqual(told(bakery.events.slice(22)), [
    ["GET /api/products/:id", ["/made-up-299"], 279],
    ["GET /api/products/:id", ["/fresh"], 1],
  ]);
});
