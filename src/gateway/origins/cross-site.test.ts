import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { everyone, none } from "../../contract/index.ts";
import { origin, partner } from "../fixtures/bakery.ts";
import { openSmall } from "../fixtures/small-gateway.ts";

const route = (createsSession?: boolean) => ({
  access: everyone,
  limit: "60/min per client",
  body: none,
  response: z.object({ ok: z.boolean() }),
  to: "shop",
  ...(createsSession === undefined ? {} : { createsSession }),
});

test("what creates a session is asked by pages of the site alone: not by a declared origin's, and not by who says nothing", async () => {
  const { call, forwarded, events } = openSmall(
    { "POST /api/session": route(true), "POST /api/ping": route() },
    { cors: { origins: [partner] } },
  );
  const ask = async (target: string, headers: Record<string, string>) =>
    (await call({ method: "POST", target, headers })).status;
  assert.equal(await ask("/api/session", { origin: partner }), 403);
  assert.equal(await ask("/api/session", { origin: partner, "sec-fetch-site": "cross-site" }), 403);
  assert.equal(await ask("/api/session", { "sec-fetch-site": "same-site" }), 403);
  assert.equal(await ask("/api/session", {}), 403);
  assert.deepEqual(
    events.map((event) => "code" in event && event.code),
    Array.from({ length: 4 }, () => "GATEWAY_CROSS_SITE_REFUSED"),
  );
  assert.equal(await ask("/api/session", { origin }), 200);
  assert.equal(await ask("/api/session", { origin: "null", "sec-fetch-site": "same-origin" }), 200);
  assert.equal(await ask("/api/ping", { origin: partner }), 200);
  assert.equal(await ask("/api/ping", {}), 200);
  assert.equal(forwarded.length, 4);
});
