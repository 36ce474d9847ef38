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
  ["para", "params"],
  ["RES", "response"],
] as const) {
  test(`"${misspelt}" was probably meant to be "${meant}"`, () =>
    assert.equal(nearest(misspelt, options), meant));
}

test("a name that resembles none gets no guess, nor one that several begin with", () => {
  for (const name of ["", "x", "re", "cache", "middleware", "toString"])
    assert.equal(nearest(name, options), undefined);
  assert.equal(nearest("warn", ["notice", "warning", "alert"]), "warning");
  assert.equal(nearest("warn", ["warning-light", "warning-tone"]), undefined);
});

const routes = [
  "GET /api/users/:user/orders",
  "GET /api/orders/:id",
  "GET /api/orders/:id/receipt",
  "POST /api/orders",
  "PATCH /api/orders/:id",
  "GET /api/card",
  "GET /api/products",
  "GET /api/products/:id",
];

for (const [misspelt, meant] of [
  ["GET /api/order", "GET /api/orders/:id"],
  ["GET /api/orders/:order", "GET /api/orders/:id"],
  ["get /api/orders/7", "GET /api/orders/:id"],
  ["POST /api/order", "POST /api/orders"],
  ["PATCH /api/orders", "PATCH /api/orders/:id"],
  ["GET /api/orders/:id/reciept", "GET /api/orders/:id/receipt"],
  ["GET /api/cards", "GET /api/card"],
  ["GET /api/product", "GET /api/products"],
  ["GET /api/product/rye", "GET /api/products/:id"],
  ["GET /api/prodcts/a-loaf-with-a-long-name", "GET /api/products/:id"],
  ["GET /api/user/3f1d/orders", "GET /api/users/:user/orders"],
] as const) {
  test(`"${misspelt}" was probably meant to be "${meant}"`, () =>
    assert.equal(nearestRoute(misspelt, routes), meant));
}

test("a route that resembles none gets no guess, and the order of routes decides nothing", () => {
  for (const asked of ["", "GET", "GET /weather/tomorrow", "orders"])
    assert.equal(nearestRoute(asked, routes), undefined);
  assert.equal(nearestRoute("GET /api/order", routes.toReversed()), "GET /api/orders/:id");
});
