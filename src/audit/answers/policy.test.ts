import assert from "node:assert/strict";
import { test } from "node:test";
import { parsePolicy, policyFaults } from "./policy.ts";

const strict =
  "default-src 'none'; script-src 'sha256-abc='; img-src 'self' data:; base-uri 'none'; object-src 'none'; frame-ancestors 'none'; form-action 'self'; require-trusted-types-for 'script'";

test("a strict policy has no fault", () => {
  assert.deepEqual(policyFaults(parsePolicy(strict)), []);
});

for (const [name, text, fault] of [
  ["unsafe-inline", "script-src 'unsafe-inline'", "script-src has 'unsafe-inline'"],
  ["unsafe-eval in any case", "script-src 'UNSAFE-EVAL'", "script-src has 'unsafe-eval'"],
  ["unsafe-hashes", "style-src-attr 'unsafe-hashes'", "style-src-attr has 'unsafe-hashes'"],
  ["a wildcard", "connect-src *", "connect-src has the wildcard *"],
  ["a wildcard host", "img-src *.example.com", "img-src has the wildcard *.example.com"],
  ["a scheme", "script-src https:", "script-src has the scheme https:"],
  ["data: where it runs", "script-src data:", "script-src has the scheme data:"],
] as const) {
  test(`${name} is a fault`, () => {
    const others = strict.replace("script-src 'sha256-abc='; ", "").replace("img-src 'self' data:; ", "");
    assert.ok(policyFaults(parsePolicy(`${text}; ${others}`)).includes(fault));
  });
}

for (const directive of ["default-src", "base-uri", "frame-ancestors", "form-action"]) {
  test(`a policy without ${directive} has a fault`, () => {
    const without = strict
      .split("; ")
      .filter((part) => !part.startsWith(directive))
      .join("; ");
    assert.ok(policyFaults(parsePolicy(without)).includes(`${directive} is missing`));
  });
}

test("of two directives with one name the first counts (CSP3 §2.2.1)", () => {
  assert.deepEqual(parsePolicy("script-src 'self'; script-src 'none'").get("script-src"), ["'self'"]);
});
