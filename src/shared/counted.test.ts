import assert from "node:assert/strict";
import { test } from "node:test";
import { counted } from "./counted.ts";

test("one is one, and nothing and many are several", () => {
  assert.deepEqual(
    [counted(1, "record"), counted(0, "record"), counted(1204, "record"), counted(2, "is", "are")],
    ["1 record", "0 records", "1,204 records", "2 are"],
  );
});
