import assert from "node:assert/strict";
import { test } from "node:test";
import { escapeControls } from "./escape-controls.ts";

test("what a terminal obeys or hides is escaped, and reads back as it was", () => {
  for (const character of [
    "\u007f",
    "\u009b",
    "\u00ad",
    "\u200b",
    "\u2028",
    "\u202e",
    "\ufeff",
    "\u{e0041}",
  ]) {
    const value = { [character]: `a${character}b` };
    const json = escapeControls(JSON.stringify(value, null, 2));
    assert.doesNotMatch(json, /[^\n -~]/, JSON.stringify(character));
    assert.deepEqual(JSON.parse(json), value);
  }
});

test("what people write stays as it is", () => {
  const json = JSON.stringify("/straße/日本語/👍?a=b");
  assert.equal(escapeControls(json), json);
});
