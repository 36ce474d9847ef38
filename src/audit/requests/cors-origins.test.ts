import assert from "node:assert/strict";
import { test } from "node:test";
import { lookAlikeKinds, lookAlikes } from "./cors-origins.ts";

test("every kind of look-alike is made, and none of them is an allowed origin", () => {
  const allowed = ["https://www.bakery.example", "https://app.bakery.example:8443"];
  const found = lookAlikes(allowed);
  assert.deepEqual(new Set(found.map(({ kind }) => kind)), new Set(lookAlikeKinds));
  for (const { origin } of found) assert.ok(!allowed.includes(origin), origin);
});

test("a look-alike that is allowed itself is left out", () => {
  const found = lookAlikes(["https://bakery.example", "https://sub.bakery.example"]);
  assert.ok(!found.some(({ origin }) => origin === "https://sub.bakery.example"));
});

test("an origin without letters has no other case", () => {
  assert.ok(!lookAlikes(["https://127.0.0.1:8443"]).some(({ kind }) => kind === "case"));
});
