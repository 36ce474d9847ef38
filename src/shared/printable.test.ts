import assert from "node:assert/strict";
import { test } from "node:test";
import { printable } from "./printable.ts";

test("what drives a terminal, begins a line or reorders text is replaced", () => {
  for (const character of [
    "\u0000",
    "\n",
    "\u001b",
    "\u007f",
    "\u009b",
    "\u061c",
    "\u202e",
    "\u2028",
    "\u2066",
    "\ufeff",
  ])
    assert.equal(printable(`a${character}b`), "a\ufffdb", JSON.stringify(character));
});

test("what people write stays as it is, and long text is cut", () => {
  assert.equal(printable("/straße/日本語/👍?a=b"), "/straße/日本語/👍?a=b");
  assert.equal(printable("x".repeat(1000)).length, 300);
  assert.equal(printable("abc", 2), "ab");
});
