import assert from "node:assert/strict";
import { test } from "node:test";
import { isShareable, variesBy } from "./storable.ts";

const answer = (status: number, headers: Record<string, string> = {}): Parameters<typeof isShareable>[0] => ({
  status,
  header: (name) => headers[name],
});
const control = (text: string, status = 200): boolean =>
  isShareable(answer(status, { "cache-control": text }));

test("what says nothing of caches is kept by them, by its status (RFC 9110 §15.1)", () => {
  assert.equal(isShareable(answer(200)), true);
  assert.equal(isShareable(answer(404)), true);
  assert.equal(isShareable(answer(400)), false);
  assert.equal(isShareable(answer(401)), false);
});

test("no-store, private and no-cache keep others from it; for some fields alone they do not (RFC 9111 §5.2.2)", () => {
  for (const text of [
    "no-store",
    "private",
    "Private, max-age=60",
    "no-cache",
    "public, no-store",
    "max-age=0",
    "s-maxage=0, max-age=9",
  ])
    assert.equal(control(text), false, text);
  for (const text of ['private="set-cookie"', "max-age=60", "public", "s-maxage=1", "nostore"])
    assert.equal(control(text), true, text);
});

test("a lifetime that is stated lets any status be kept", () => {
  assert.equal(control("max-age=60", 401), true);
  assert.equal(isShareable(answer(400, { expires: "Thu, 01 Jan 2099 00:00:00 GMT" })), true);
});

test("what varies by everything is for nobody else", () => {
  assert.equal(isShareable(answer(200, { vary: "Origin, *" })), false);
  assert.equal(variesBy(answer(200, { vary: "Origin, Accept" }), "accept"), true);
  assert.equal(variesBy(answer(200), "accept"), false);
});
