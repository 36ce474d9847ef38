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

test("why checks were not made is told once: above what to do next, or there where every check stands", () => {
  const reason = "the plan names no second host";
  const missing = check("burst", "missing", { reason, observations: 0 });
  const rows = [row("API-2", "Every endpoint authenticates", missing)];
  const short = renderReport({ ...report, rows });
  assert.equal(short.split(reason).length, 2);
  assert.match(short, /1\. See to what was not checked, for 1 reason: under "Not checked" above/);
  const long = renderReport({ ...report, rows }, { verbose: true });
  assert.match(long, /1\. 1 check was not made \(API-2\): the plan names no second host/);
});
