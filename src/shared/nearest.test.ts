import assert from "node:assert/strict";
import { test } from "node:test";
import { nearest, nearestRoute } from "./nearest.ts";

const options = ["access", "limit", "params", "query", "body", "response", "to", "timeoutMs"];

for (const [misspelt, meant] of [
  ["acess", "access"],
  ["Limit", "limit"],
  ["limits", "limit"],
  ["reponse", "response"],
  ["timeoutMS", "timeoutMs"],
  ["timeout", "timeoutMs"],
] as const) {
  test(`"${misspelt}" was probably meant to be "${meant}"`, () =>
    assert.equal(nearest(misspelt, options), meant));
}

test("a name that resembles none gets no guess", () => {
  for (const name of ["", "x", "cache", "middleware", "toString"])
    assert.equal(nearest(name, options), undefined);
});

const routes = [
  "GET /api/users/:user/orders",
  "GET /api/orders/:id",
  "GET /api/orders/:id/receipt",
  "POST /api/orders",
  "PATCH /api/orders/:id",
  "GET /api/card",
];

for (const [misspelt, meant] of [
  ["GET /api/order", "GET /api/orders/:id"],
  ["GET /api/orders/:order", "GET /api/orders/:id"],
  ["get /api/orders/7", "GET /api/orders/:id"],
  ["POST /api/order", "POST /api/orders"],
  ["PATCH /api/orders", "PATCH /api/orders/:id"],
  ["GET /api/orders/:id/reciept", "GET /api/orders/:id/receipt"],
  ["GET /api/cards", "GET /api/card"],
] as const) {
  test(`"${misspelt}" was probably meant to be "${meant}"`, () =>
    assert.equal(nearestRoute(misspelt, routes), meant));
}

test("a route that resembles none gets no guess, and the order of routes decides nothing", () => {
  for (const asked of ["", "GET", "GET /weather/tomorrow", "orders"])
    assert.equal(nearestRoute(asked, routes), undefined);
  assert.equal(nearestRoute("GET /api/order", routes.toReversed()), "GET /api/orders/:id");
});
