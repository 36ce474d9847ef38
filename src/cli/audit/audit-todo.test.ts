import assert from "node:assert/strict";
import { test } from "node:test";
import type { AuditCheck, AuditReport } from "../../audit/index.ts";
import { row } from "../../../test/support/audit-row.ts";
import { renderReport } from "./audit-report.ts";

const report: AuditReport = {
  format: 1,
  target: "https://localhost:8443",
  startedAt: "2026-11-21T00:00:00.000Z",
  durationMs: 1234,
  weakenings: [],
  rows: [],
  summary: { proved: 0, evidenced: 0, attested: 0, failed: 0, unknown: 0 },
};

const check = (name: string, state: AuditCheck["state"], more: Partial<AuditCheck> = {}): AuditCheck => ({
  name,
  kind: "live",
  state,
  observations: 1,
  evidence: [],
  reproduce: "npx curtainwall audit",
  ...more,
});

test("what to do next names every item that failed, and where the code is that mends it", () => {
  const ids = Array.from({ length: 9 }, (_, index) => `FE-${index + 1}`);
  const rows = ids.map((id) => row(id, "Every endpoint authenticates", check("a page", "failed")));
  const mend = (row: string, says: string): NonNullable<AuditReport["mends"]>[number] => ({
    checks: [{ row, name: "a page" }],
    says,
    framework: "Express",
    because: "a test says so",
    where: "first",
    language: "js",
    code: "app();",
  });
  const mends = [
    mend("FE-2", "Headers are set"),
    mend("FE-9", "Files are few"),
    mend("FE-9", "Errors are short"),
  ];
  const text = renderReport({ ...report, rows, mends });
  const next = text.slice(text.indexOf("What to do next"));
  for (const id of ids) assert.ok(next.includes(`Mend ${id}, a page`), id);
  assert.match(next, /Mend FE-2, .*\n {5}mend 1 above: Headers are set\n/);
  assert.match(next, /Mend FE-9, .*\n {5}mend 2 above: Files are few; also 3\n/);
  assert.match(text, /\n {2}2\. Files are few\n/, "under that number");
});

test("what was not checked is told with what mends it: the first three reasons, and the others by their number", () => {
  const missing = (id: string, reason: string): AuditReport["rows"][number] =>
    row(id, "Every endpoint authenticates", check("burst", "missing", { reason, observations: 0 }));
  const reasons = [
    "the plan names no second host (otherAddresses)",
    "the plan's failures name no request that makes an upstream fail",
    "GET /api/x: the honest request, written by hand, was answered 429",
    "no stack of this site runs on this machine",
    "the plan names no canary",
  ];
  const rows = reasons.map((reason, index) => missing(`API-${index + 1}`, reason));
  const next = (options?: { verbose: boolean }): string => {
    const text = renderReport({ ...report, rows }, options);
    return text.slice(text.indexOf("What to do next")).replaceAll(/\s+/g, " ");
  };
  assert.match(
    next(),
    /1\. 1 check was not made \(API-2\): the plan's failures name .* fail \(curtainwall\.audit\.ts\) 2\. .* \(API-3\): .* 429; audit again in a minute, .* 3\. .* \(API-4\): no stack .* 4\. And 2 more reasons why checks were not made: under "Not made" above/,
  );
  assert.match(next({ verbose: true }), /5\. 1 check was not made \(API-1\): the plan names no second host/);
  assert.doesNotMatch(next({ verbose: true }), /more reasons/);
});
