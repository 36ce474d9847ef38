import assert from "node:assert/strict";
import { test } from "node:test";
import { isCurtainwallError } from "../shared/index.ts";
import { parseLimits } from "./limits.ts";

const refuses = (given: object) =>
  assert.throws(
    () => parseLimits(given),
    (error) => isCurtainwallError(error, "EDGE_OPTION_INVALID"),
  );

test("A limit that is given replaces its default, the others stay", () => {
  const limits = parseLimits({ maxConnections: 5 });
  assert.equal(limits.maxConnections, 5);
  assert.equal(limits.maxHeaders, 100);
});

test("No limit can be switched off or misspelt", () => {
  for (const value of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31])
    refuses({ maxConnections: value });
  refuses({ maxConnection: 5 });
});
