import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { callVersion, isAnswerStatus, parseCall, parseScheduledCall } from "./call.ts";

const whole = {
  version: callVersion,
  id: "7f3a",
  route: "POST /api/contact",
  params: {},
  query: { page: 2 },
  headers: {},
  settings: { courier: "https://api.delivery.example" },
};
suite("a call", () => {
  test("is read with what it has, and nothing that it has besides", () => {
    const caller = { subject: "u1", roles: ["staff"], tenant: "t" };
    assert.deepEqual(parseCall({ ...whole, body: { a: 1 }, caller, more: true }), {
      ...whole,
      body: { a: 1 },
      caller,
    });
  });

  test("without a body has none, and null is one", () => {
    assert.equal("body" in (parseCall(whole) as object), false);
    assert.equal((parseCall({ ...whole, body: null }) as { body: unknown }).body, null);
  });

  test("of another version, or without one of its parts, is none", () => {
    const broken: unknown[] = [
      null,
      [],
      "call",
      { ...whole, version: 2 },
      { ...whole, caller: { subject: "u1" } },
      { ...whole, settings: { limit: 5 } },
    ];
    for (const name of Object.keys(whole)) broken.push({ ...whole, [name]: undefined });
    for (const value of broken) assert.equal(typeof parseCall(value), "string", JSON.stringify(value));
  });

  test("is whatever JSON says it is, and reading it never throws", () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => void [parseCall(value), parseScheduledCall(value)]));
  });

  test("of the clock says when it was due", () => {
    const call = { version: callVersion, id: "a", dueMs: 1_800_000_000_000, settings: {} };
    assert.deepEqual(parseScheduledCall(call), call);
    for (const dueMs of [Number.NaN, "5", null, undefined])
      assert.equal(typeof parseScheduledCall({ ...call, dueMs }), "string");
  });
});

test("a function answers with what is done or refused: no redirect, and no failure of the server's", () => {
  for (const status of [200, 201, 204, 400, 404, 422, 499]) assert.ok(isAnswerStatus(status), String(status));
  for (const status of [101, 199, 205, 206, 302, 304, 500, 503, Number.NaN])
    assert.ok(!isAnswerStatus(status), String(status));
});
