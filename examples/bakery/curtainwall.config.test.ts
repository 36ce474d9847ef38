import assert from "node:assert/strict";
import { after, test } from "node:test";
import { parseContract } from "curtainwall";
import type { ContractRoute } from "curtainwall";
import { z } from "zod";
import { breads, currency } from "./collections.ts";
import plan from "./curtainwall.audit.ts";
import stack from "./curtainwall.config.ts";
import { alice } from "./people.ts";
import { openShopDatabase } from "./shop/database.ts";
import { shopRoutes } from "./shop/routes.ts";
import { lieCanary } from "./shop/lies.ts";
import { canaries } from "./shop/seed.ts";
import { createShopStore } from "./shop/store.ts";

const contract = parseContract(stack);
/** Those that no function answers. */
const ofShop = contract.routes.filter(({ to }) => to === "shop");
const database = openShopDatabase({ file: ":memory:", products: breads, currency });
const store = createShopStore(database);
const shop = shopRoutes(store);
after(() => database.close());

/** Names an order that nobody has begun with. */
function newOrder(): { id: string } {
  const placement = store.placeOrder(alice.id, { items: [{ product: breads[0].id, quantity: 1 }] });
  assert.ok(placement.kind === "placed");
  return { id: String(placement.order["id"]) };
}

/** What the shop answers to the plan's sample of a route, as it travels. */
function sampleAnswer({ key, method, path }: ContractRoute): string {
  const sample = plan.samples?.[key];
  const own = { ...sample, ...sample?.as?.["alice"] };
  // What the plan makes for each request is in the example's own database.
  const params = typeof own.params === "function" ? newOrder() : (own.params ?? {});
  const body: unknown = typeof own.body === "function" ? own.body() : own.body;
  const route = shop.find((entry) => entry.method === method && entry.path === path);
  const answer = route?.answer({ params, body, query: new URLSearchParams(), subject: alice.id });
  assert.ok(answer !== undefined && "body" in answer && answer.status < 300, key);
  return JSON.stringify(answer.body);
}

/** What the shop sends for each route, an event for each that tells of some, and the schema that it is held to. */
function sentBodies(): [ContractRoute, z.core.$ZodType, string][] {
  return ofShop.flatMap((route): [ContractRoute, z.core.$ZodType, string][] => {
    if (route.stream?.kind === "download") return [];
    if (route.stream === undefined) {
      assert.ok(route.response !== undefined);
      return [[route, route.response, sampleAnswer(route)]];
    }
    const [[name, schema] = []] = [...route.stream.events];
    assert.ok(schema !== undefined);
    return [[route, schema, firstEvent(route.path, name)]];
  });
}

/** The first event that the shop tells of. */
function firstEvent(path: string, wanted: string | undefined): string {
  const answer = shop
    .find((route) => route.path === path)
    ?.answer({ params: {}, query: new URLSearchParams(), body: undefined, subject: undefined });
  assert.ok(answer !== undefined && "listen" in answer);
  let sent = "";
  answer.listen((name, data) => {
    if (name === wanted) sent ||= JSON.stringify(data);
  })();
  return sent;
}

test("the contract weakens nothing, and every route of the shop is in it", () => {
  assert.deepEqual(contract.weakenings, []);
  const declared = ofShop.map(({ method, path }) => `${method} ${path}`);
  assert.deepEqual(declared.toSorted(), shop.map(({ method, path }) => `${method} ${path}`).toSorted());
});

test("what the shop answers fits each route's schema, and nothing planted gets through it", () => {
  let planted = 0;
  for (const [route, schema, sent] of sentBodies()) {
    const released = JSON.stringify(z.parse(schema, JSON.parse(sent)));
    for (const canary of Object.values(canaries)) {
      if (sent.includes(canary)) planted += 1;
      assert.ok(!released.includes(canary), `${route.key} lets ${canary} out`);
    }
  }
  // Otherwise there would be nothing to keep in, and this test would prove nothing.
  assert.ok(planted > 10);
});

test("the audit knows who owns what, and looks for all that is planted", () => {
  assert.deepEqual(plan.canaries?.toSorted(), [...Object.values(canaries), lieCanary].toSorted());
  for (const { key, access } of contract.routes) {
    if (!access.kind.startsWith("owner")) continue;
    assert.deepEqual(Object.keys(plan.samples?.[key]?.as ?? {}), Object.keys(plan.identities ?? {}), key);
  }
});
