import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { everyone } from "../access.ts";
import type { Contract } from "../contract.ts";
import { defineStack } from "../define.ts";
import { upstream } from "../define/upstream.ts";
import { parseContract } from "../parse.ts";

function parse(options: object, route: object = {}, method = "GET"): Contract {
  const routes: object = {
    [`${method} /api/hours`]: {
      access: everyone,
      limit: "9/min per client",
      response: z.object({}),
      to: "shop",
      ...(method === "GET" || method === "DELETE" ? {} : { body: z.object({}) }),
      ...route,
    },
  };
  const shop = upstream({ url: "https://shop.internal", ...options });
  return parseContract(defineStack({ origin: "https://www.bakery.example", upstreams: { shop }, routes }));
}

test("what only reads is sent again once for a broken connection, and for no status, unless the upstream says otherwise", () => {
  const { retries, retryOn } = parse({}).upstreams.get("shop") ?? {};
  assert.deepEqual([retries, retryOn], [1, []]);
  const declared = parse({ retries: 3, retryOn: [502, 504] }).upstreams.get("shop");
  assert.deepEqual([declared?.retries, declared?.retryOn], [3, [502, 504]]);
  for (const wrong of [{ retries: 4 }, { retries: -1 }, { retryOn: [500] }, { retryOn: 503 }])
    assert.throws(() => parse(wrong), { code: "CONTRACT_OPTION_INVALID", message: /shop\.retr/ });
});

test("PUT and DELETE may be declared idempotent; POST and PATCH with a key to be known again by", () => {
  const isIdempotent = (route: object, method: string): unknown =>
    parse({}, route, method).routes[0]?.idempotent;
  for (const method of ["PUT", "DELETE"]) {
    assert.equal(isIdempotent({}, method), false);
    assert.equal(isIdempotent({ idempotent: true }, method), true);
  }
  const headers = { "Idempotency-Key": z.string().max(40) };
  for (const method of ["POST", "PATCH"]) {
    assert.equal(
      isIdempotent({ headers: { "idempotency-key": z.string().max(40) }, idempotent: true }, method),
      true,
    );
    assert.equal(isIdempotent({ headers: { "idempotency-key": z.string().max(40) } }, method), false);
    assert.throws(() => isIdempotent({ idempotent: true }, method), { message: /as often as it is sent/ });
    assert.throws(() => isIdempotent({ idempotent: "yes", headers }, method), { message: /true or false/ });
  }
});
