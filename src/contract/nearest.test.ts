import assert from "node:assert/strict";
import { test } from "node:test";
import { nearest } from "./nearest.ts";

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
