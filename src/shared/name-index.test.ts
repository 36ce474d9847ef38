import assert from "node:assert/strict";
import { test } from "node:test";
import { createNameIndex } from "./name-index.ts";

test("a text is found at its place, among few and among many, and one that is not there nowhere", () => {
  for (const count of [0, 1, 6, 7, 300]) {
    const names = Array.from({ length: count }, (_, place) => `name-${place}`);
    const indexOf = createNameIndex(names);
    for (const [place, name] of names.entries()) assert.equal(indexOf(`${name.slice(0, 5)}${place}`), place);
    for (const other of ["", "name", "name-", "name-300", "NAME-0", "toString"])
      assert.equal(indexOf(other), -1);
  }
});
