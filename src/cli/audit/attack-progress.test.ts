import assert from "node:assert/strict";
import { test } from "node:test";
import { progressTexts } from "./attack.ts";

const ahead = {
  kind: "access",
  route: "GET /api/orders/:id",
  done: 3,
  of: 12,
  gotThrough: 0,
  broken: [],
} as const;

test("how far an attack is, and what is attacked now", () => {
  assert.deepEqual(progressTexts(ahead), ["3/12 attacks", "now access · GET /api/orders/:id"]);
  assert.deepEqual(progressTexts({ ...ahead, kind: "tls", route: undefined }), [
    "3/12 attacks",
    "now tls · site",
  ]);
});

test("what broke stands apart from what is attacked now, the last of it by name", () => {
  const objects = { kind: "objects", route: "GET /api/orders" } as const;
  assert.deepEqual(progressTexts({ ...ahead, gotThrough: 1, broken: [objects] }), [
    "3/12 attacks",
    "now access · GET /api/orders/:id",
    "broken: objects · GET /api/orders, 1 attempt got through",
  ]);
  assert.deepEqual(
    progressTexts({ ...ahead, gotThrough: 4, broken: [objects, { kind: "headers", route: undefined }] }).at(
      -1,
    ),
    "broken: headers · site, and 1 before, 4 attempts got through",
  );
});
