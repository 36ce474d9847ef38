import assert from "node:assert/strict";
import { test } from "node:test";
import { inertPolicy, securityHeaders } from "./security-headers.ts";

test("an answer's headers begin with its own policy and hold each name once, in lower case", () => {
  const headers = securityHeaders(inertPolicy);
  const names = headers.map(([name]) => name);
  assert.deepEqual(headers[0], ["content-security-policy", inertPolicy]);
  assert.equal(new Set(names).size, names.length);
  for (const [name, value] of headers) {
    assert.match(name, /^[a-z-]+$/);
    assert.match(value, /^[\u0020-\u007e]+$/);
  }
});

test("the headers that CHECKLIST FE-4 asks for are there, with the values that protect", () => {
  const headers = new Map(securityHeaders(inertPolicy));
  assert.match(headers.get("strict-transport-security") ?? "", /^max-age=\d{8,}; includeSubDomains/);
  assert.equal(headers.get("x-content-type-options"), "nosniff");
  assert.equal(headers.get("x-frame-options"), "DENY");
  assert.equal(headers.get("cross-origin-opener-policy"), "same-origin");
  assert.equal(headers.get("cross-origin-resource-policy"), "same-origin");
  assert.match(headers.get("permissions-policy") ?? "", /\bcamera=\(\)/);
});

test("the policy for what no browser should render allows nothing and relaxes nothing", () => {
  assert.match(inertPolicy, /^default-src 'none'/);
  assert.doesNotMatch(inertPolicy, /unsafe|\*|https?:|allow-/);
});
