import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createCors } from "./cors.ts";

const own = "https://www.bakery.test";
const partner = "https://app.partner.test";
const cors = createCors({ origin: own, corsOrigins: [partner] });

test("the contract's origins are told apart to the letter; everything else is refused", () => {
  assert.equal(cors.judge(undefined), "own");
  assert.equal(cors.judge(own), "own");
  assert.equal(cors.judge(partner), "allowed");
  const near = fc
    .tuple(fc.constantFrom(own, partner), fc.nat(30), fc.string({ maxLength: 2 }))
    .map(([origin, at, text]) => origin.slice(0, at) + text + origin.slice(at + 1));
  fc.assert(
    fc.property(fc.oneof(near, fc.string(), fc.webUrl()), (origin) => {
      fc.pre(origin !== own && origin !== partner);
      assert.equal(cors.judge(origin), "refused");
      assert.deepEqual(cors.readHeaders(origin), []);
      assert.deepEqual(cors.preflightHeaders(origin, ["GET"]), []);
    }),
  );
});

test("no origin is echoed that is not in the contract, and credentials are never allowed", () => {
  for (const headers of [
    cors.readHeaders(partner),
    cors.preflightHeaders(partner, ["GET", "POST"]),
    cors.preflightHeaders(own, ["GET"]),
  ]) {
    assert.ok(headers.includes("access-control-allow-origin"));
    assert.ok(!headers.includes("*") && !headers.includes("access-control-allow-credentials"));
  }
  assert.deepEqual(createCors({ origin: own, corsOrigins: [] }).readHeaders("null"), []);
});
