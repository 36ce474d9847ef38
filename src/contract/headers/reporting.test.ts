import assert from "node:assert/strict";
import { test } from "node:test";
import { withReporting } from "./reporting.ts";

test("a policy names the endpoint in both ways, and the answer says where it is", () => {
  assert.deepEqual(
    withReporting(
      [
        ["content-type", "text/html"],
        ["content-security-policy", "default-src 'none'"],
      ],
      "/_reports",
    ),
    [
      ["content-type", "text/html"],
      ["content-security-policy", "default-src 'none'; report-uri /_reports; report-to csp"],
      ["reporting-endpoints", 'csp="/_reports"'],
    ],
  );
});

test("an answer without a policy stays as it is", () => {
  assert.deepEqual(withReporting([["content-type", "text/css"]], "/_reports"), [
    ["content-type", "text/css"],
  ]);
});
