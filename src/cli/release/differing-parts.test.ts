import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { differingParts } from "./differing-parts.ts";

const hashes = (count: number): string =>
  Array.from({ length: count }, (_, index) => `'sha256-${String(index).padStart(43, "A")}='`).join(" ");

test("of two long policies only the sources that differ are shown, each with its directive", () => {
  const policy = (script: string, connect: string): string =>
    `default-src 'none'; script-src ${hashes(30)} ${script}; style-src 'self'; connect-src ${connect}; base-uri 'none'`;
  assert.deepEqual(
    differingParts(
      "content-security-policy",
      policy("'sha256-B'", "'self'"),
      policy("'unsafe-inline'", "'self' https://evil.example"),
    ),
    ["script-src 'sha256-B'", "script-src 'unsafe-inline'; connect-src https://evil.example"],
  );
  assert.deepEqual(
    differingParts("content-security-policy", "default-src 'none'; sandbox", "default-src 'none'"),
    ["sandbox", ""],
  );
});

test("what differs far behind is shown all the same", () => {
  const long = "public, ".repeat(40);
  const [expected, actual] = differingParts("cache-control", `${long}max-age=1`, `${long}max-age=2`);
  assert.match(expected, /^….*max-age=1$/);
  assert.match(actual, /^….*max-age=2$/);
});

test("two that differ never look the same, and neither is long", () => {
  const text = fc.oneof(
    fc.string({ maxLength: 400 }),
    fc
      .array(fc.constantFrom("script-src", "'self'", "https://a.example", ";", "sandbox", "x".repeat(90)), {
        maxLength: 30,
      })
      .map((parts) => parts.join(" ")),
  );
  fc.assert(
    fc.property(fc.constantFrom("content-security-policy", "link"), text, text, (name, expected, actual) => {
      fc.pre(expected !== actual);
      const [left, right] = differingParts(name, expected, actual);
      assert.notEqual(left, right);
      assert.ok(left.length <= 122 && right.length <= 122);
    }),
  );
});
