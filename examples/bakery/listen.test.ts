import assert from "node:assert/strict";
import { createServer } from "node:https";
import { test } from "node:test";
import { close, listen } from "./listen.ts";
import { readAddresses } from "./settings.ts";

test("a port that is taken gives an error with the variable that moves it, and all others: it is seldom the only one", async () => {
  const first = createServer();
  const second = createServer();
  const port = await listen(first, { name: "the shop", port: 0, variable: "BAKERY_SHOP_PORT" });
  await assert.rejects(
    listen(second, { name: "the shop", port, variable: "BAKERY_SHOP_PORT" }),
    new RegExp(
      `Port ${port} is taken, and the shop needs it.*BAKERY_SHOP_PORT=[^]*BAKERY_ORIGIN=https:.*BAKERY_SHOP_PORT=.*BAKERY_TILL_PORT=`,
    ),
  );
  await close(first);
  await listen(second, { name: "the shop", port, variable: "BAKERY_SHOP_PORT" });
  await close(second);
});

test("a port that is none is refused", () => {
  const before = process.env["BAKERY_SHOP_PORT"];
  try {
    for (const text of ["0", "65536", "-1", "8e3", "", "shop"]) {
      process.env["BAKERY_SHOP_PORT"] = text;
      assert.throws(readAddresses, /BAKERY_SHOP_PORT must be a port from 1 to 65535/);
    }
    process.env["BAKERY_SHOP_PORT"] = "18444";
    assert.equal(readAddresses().shopUrl, "https://localhost:18444");
  } finally {
    if (before === undefined) delete process.env["BAKERY_SHOP_PORT"];
    else process.env["BAKERY_SHOP_PORT"] = before;
  }
});
