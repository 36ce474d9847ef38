import assert from "node:assert/strict";
import { test } from "node:test";
import { createRequestIds } from "./request-id.ts";

test("each request has a name of its own, also when more are drawn, and beside another's names", () => {
  const ids = createRequestIds();
  const others = createRequestIds();
  const drawn = Array.from({ length: 600 }, () => [ids(), others()]).flat();
  for (const id of drawn) assert.match(id, /^[0-9a-f]{32}$/);
  assert.equal(new Set(drawn).size, drawn.length);
});
