import assert from "node:assert/strict";
import { test } from "node:test";
import { drawVerdict } from "./report.ts";
import type { AuditCheck } from "./report.ts";
import { checklist } from "./rows.ts";
import { rules } from "./rules/index.ts";

const check = (verdict: AuditCheck["verdict"]): AuditCheck => ({
  name: "a check",
  kind: "live",
  verdict,
  observations: 1,
  evidence: [],
  reproduce: "true",
});

test("a row is proved only when every check ran and passed", () => {
  assert.deepEqual(drawVerdict([check("passed"), check("passed")]), { verdict: "proved", ran: 2, of: 2 });
});

test("one missing check leaves a row unknown, however many passed", () => {
  assert.deepEqual(drawVerdict([check("passed"), check("missing")]), { verdict: "unknown", ran: 1, of: 2 });
});

test("one failed check fails a row, whatever is missing", () => {
  assert.deepEqual(drawVerdict([check("passed"), check("missing"), check("failed")]), {
    verdict: "failed",
    ran: 2,
    of: 3,
  });
});

test("a row without checks is unknown, not proved", () => {
  assert.equal(drawVerdict([]).verdict, "unknown");
});

test("the checklist has its 24 items, and each has checks: a rule's or ones that wait for something named", () => {
  assert.equal(checklist.length, 24);
  assert.equal(new Set(checklist.map(({ id }) => id)).size, 24);
  for (const { id, awaiting } of checklist) {
    const rule = rules.find((candidate) => candidate.id === id);
    assert.ok((rule?.checks.length ?? 0) + awaiting.length > 0, id);
    assert.ok(
      awaiting.every(({ missing }) => missing.startsWith("comes with ")),
      id,
    );
  }
});

test("no two checks of a rule share a name", () => {
  for (const { id, checks } of rules)
    assert.equal(new Set(checks.map(({ name }) => name)).size, checks.length, id);
});

test("elsewhere than on this machine only these checks run: ordinary requests, no token, no body", () => {
  const passive = rules.flatMap(({ id, checks }) =>
    checks
      .filter((rule) => rule.kind === "live" && rule.isActive !== true)
      .map(({ name }) => `${id} ${name}`),
  );
  assert.deepEqual(passive, [
    "API-8 TLS 1.0 refused",
    "API-8 TLS 1.1 refused",
    "API-8 TLS 1.2 refused",
    "API-8 TLS 1.3 and its cipher",
    "API-8 the certificate verifies",
    "API-8 HSTS",
    "FE-2 the policy that was built is the one that is sent",
    "FE-2 zero violations in a browser, on every page",
    ...[
      "200, a page",
      "200, an asset",
      "304",
      "HEAD",
      "308, a redirect",
      "404, a page",
      "404, the API",
    ].flatMap((name) => [`FE-4 ${name} (HTTP/1.1)`, `FE-4 ${name} (HTTP/2)`]),
  ]);
});
