import assert from "node:assert/strict";
import { test } from "node:test";
import { CspEvaluator } from "csp_evaluator/dist/evaluator.js";
import { CspParser } from "csp_evaluator/dist/parser.js";
import { Severity } from "csp_evaluator/dist/finding.js";
import { pagePolicy } from "./policy.ts";
import type { PolicyFacts } from "./policy.ts";

const bare: PolicyFacts = {
  scriptHashes: new Set(),
  inlineStyleHashes: new Set(),
  linkedStyles: false,
  images: false,
  fonts: false,
  media: false,
  manifest: false,
  forms: false,
  connects: false,
};
const full: PolicyFacts = {
  scriptHashes: new Set(["Zm9v", "YmFy"]),
  inlineStyleHashes: new Set(["YmF6"]),
  linkedStyles: true,
  images: true,
  fonts: true,
  media: true,
  manifest: true,
  forms: true,
  connects: true,
};

test("a page of words alone may load nothing", () => {
  assert.equal(
    pagePolicy(bare),
    "default-src 'none'; script-src 'none'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'; upgrade-insecure-requests",
  );
});

test("a page gets what it uses, in an order that does not depend on the page", () => {
  const policy = pagePolicy(full);
  assert.match(policy, /script-src 'sha256-YmFy' 'sha256-Zm9v';/);
  assert.match(policy, /style-src 'self' 'sha256-YmF6';/);
  assert.match(policy, /form-action 'self';/);
  assert.match(policy, /connect-src 'self';/);
});

test("no policy has a wildcard, a scheme, a host or anything unsafe, and scripts never come by address", () => {
  for (const facts of [bare, full]) {
    const policy = pagePolicy(facts);
    assert.doesNotMatch(policy, /unsafe|\*|https?:|data:|blob:|strict-dynamic/);
    assert.doesNotMatch(/script-src ([^;]*)/.exec(policy)?.[1] ?? "", /'self'/);
  }
});

test("Google's CSP evaluator finds nothing above information", () => {
  for (const facts of [bare, full]) {
    const findings = new CspEvaluator(new CspParser(pagePolicy(facts)).csp).evaluate();
    assert.deepEqual(
      findings
        .filter(({ severity }) => severity <= Severity.MEDIUM_MAYBE)
        .map(({ description }) => description),
      [],
    );
  }
});
