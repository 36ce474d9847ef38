import assert from "node:assert/strict";
import { test } from "node:test";
import { defineStack } from "../define.ts";
import { upstream } from "../define/upstream.ts";
import type { UpstreamOptions } from "../define/upstream.ts";
import { parseContract } from "../parse.ts";

const healthOf = (options: Omit<UpstreamOptions, "url">): unknown =>
  parseContract(
    defineStack({
      origin: "https://www.bakery.example",
      upstreams: { shop: upstream({ url: "https://shop.internal", ...options }) },
      routes: {},
    }),
  ).upstreams.get("shop")?.health;

test("a health check has a plain path, and a time that is neither a flood nor for ever", () => {
  assert.equal(healthOf({}), undefined);
  assert.deepEqual(healthOf({ health: "/healthz" }), { path: "/healthz", everyMs: 5000 });
  assert.deepEqual(healthOf({ health: "/", healthEveryMs: 1000 }), { path: "/", everyMs: 1000 });
  for (const wrong of ["healthz", "", "/a b", "/a\r\nhost: evil", "https://evil.example/", "/a?b"])
    assert.throws(() => healthOf({ health: wrong }), { message: /shop\.health must be a path/ });
  for (const healthEveryMs of [999, 60_001])
    assert.throws(() => healthOf({ health: "/", healthEveryMs }), { message: /healthEveryMs/ });
  assert.throws(() => healthOf({ healthEveryMs: 5000 }), { message: /not what is asked for/ });
});
