import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { matchPath } from "./match-path.ts";

/** The same rule, written as slowly as it can be said. */
function slowMatch(pattern: readonly string[], segments: readonly string[]): boolean {
  const [first, ...rest] = pattern;
  if (first === undefined) return segments.length === 0;
  if (first === "**" && rest.length === 0) return true;
  const [segment, ...others] = segments;
  if (segment === undefined) return false;
  return (first === "*" ? segment !== "" : first === segment) && slowMatch(rest, others);
}

test("patterns match as a slow reference does", () => {
  const letter = fc.constantFrom("a", "b", "");
  const pattern = fc
    .tuple(fc.array(fc.constantFrom("a", "b", "*", ""), { maxLength: 4 }), fc.boolean())
    .map(([parts, isOpen]) => (isOpen ? [...parts, "**"] : parts));
  let matches = 0;
  fc.assert(
    fc.property(pattern, fc.array(letter, { maxLength: 5 }), (given, segments) => {
      const expected = slowMatch(given, segments);
      if (expected) matches++;
      assert.equal(matchPath(given, segments), expected);
    }),
    { numRuns: 3000 },
  );
  assert.ok(matches > 100);
});

test("a star is one segment, two at the end are any number, and neither is more", () => {
  assert.ok(matchPath(["v1", "*"], ["v1", "x"]));
  assert.ok(!matchPath(["v1", "*"], ["v1"]));
  assert.ok(!matchPath(["v1", "*"], ["v1", ""]));
  assert.ok(!matchPath(["v1", "*"], ["v1", "x", "y"]));
  assert.ok(matchPath(["v1", "**"], ["v1"]));
  assert.ok(matchPath(["v1", "**"], ["v1", "x", "y"]));
  assert.ok(!matchPath(["v1", "**"], ["v2"]));
  assert.ok(!matchPath(["v1"], ["v1", ""]));
});
