import assert from "node:assert/strict";
import { test } from "node:test";
import { isLoopbackHost } from "./loopback.ts";

test("names and addresses of this machine are loopback; what only looks like them is not", () => {
  for (const host of ["localhost", "shop.localhost", "127.0.0.1", "127.8.8.8", "::1", "[::1]"])
    assert.ok(isLoopbackHost(host), host);
  for (const host of [
    "localhost.example",
    "127.0.0.1.example",
    "notlocalhost",
    "::",
    "0.0.0.0",
    "1127.0.0.1",
    "",
  ])
    assert.ok(!isLoopbackHost(host), host);
});
