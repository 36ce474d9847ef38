import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { defineStack, everyone, parseContract, redis, upstream } from "../../contract/index.ts";
import { gateSpaceOf } from "../../gateway/index.ts";
import { roomForGates } from "./limit-store.ts";

const store = redis({ url: "rediss://cache.test" });
const contract = parseContract(
  defineStack({
    origin: "https://www.bakery.test",
    limits: { store, instances: 2 },
    budgets: { mail: "10/h" },
    upstreams: { shop: upstream({ url: "https://shop.test", concurrency: 9 }) },
    routes: {
      "POST /api/a": {
        access: everyone,
        limit: ["9/s per route", "9/min per route"],
        pace: "9/s per route, queue 5, wait 1s",
        failures: "9/h per route",
        concurrency: 3,
        spends: { mail: 1 },
        body: z.object({}),
        response: "none",
        to: "shop",
      },
    },
  }),
);

test("there is room for every gate that a contract has", () => {
  const [room, needed] = [roomForGates(contract), gateSpaceOf(contract)];
  assert.deepEqual(needed, { counters: 6, doors: 2 });
  assert.ok(room.counters >= needed.counters && room.doors >= needed.doors);
});
