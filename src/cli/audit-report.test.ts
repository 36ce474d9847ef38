import assert from "node:assert/strict";
import { test } from "node:test";
import { stripVTControlCharacters } from "node:util";
import type { AuditCheck, AuditReport } from "../audit/index.ts";
import { renderReport } from "./audit-report.ts";

const check = (name: string, verdict: AuditCheck["verdict"], more: Partial<AuditCheck> = {}): AuditCheck => ({
  name,
  kind: "live",
  verdict,
  observations: 3,
  evidence: [],
  reproduce: "npx curtainwall audit https://localhost:8443 --only API-1",
  ...more,
});

const report: AuditReport = {
  format: 1,
  target: "https://localhost:8443",
  startedAt: "2026-11-21T00:00:00.000Z",
  durationMs: 1234,
  weakenings: [{ at: "upstreams.shop.insecureAllowHttp", reason: "listens on loopback only" }],
  rows: [
    {
      id: "API-1",
      title: "Every endpoint authenticates",
      verdict: "proved",
      ran: 1,
      of: 1,
      checks: [check("no token", "passed")],
    },
    {
      id: "API-2",
      title: "Rate limiting",
      verdict: "unknown",
      ran: 1,
      of: 2,
      checks: [check("burst", "passed"), check("two instances", "missing", { missing: "one instance runs" })],
    },
    {
      id: "API-7",
      title: "No leaks in errors",
      verdict: "failed",
      ran: 1,
      of: 1,
      checks: [
        check("no stack", "failed", {
          reproduce: "curl 'https://localhost:8443/api/x'",
          evidence: [
            {
              kind: "exchange",
              about: "GET /api/x: shows a stack frame",
              request: { method: "GET", url: "https://localhost:8443/api/x", protocol: "h2", headers: [] },
              response: {
                status: 500,
                headers: [],
                body: "\u001b]0;owned\u0007\u009b31m at x \u202e",
                bytes: 20,
              },
              reproduce: "curl 'https://localhost:8443/api/x'",
            },
          ],
        }),
      ],
    },
  ],
  summary: { proved: 1, evidenced: 0, attested: 0, failed: 1, unknown: 1 },
};

test("the worst row stands first, each with its verdict and counts", () => {
  const lines = renderReport(report)
    .split("\n")
    .filter((line) => /^[✗?✓]/.test(line));
  assert.match(lines[0] ?? "", /^✗ API-7 {2}failed/);
  assert.match(lines[1] ?? "", /^\? API-2 {2}unknown \(1 of 2\)/);
  assert.match(lines[2] ?? "", /^✓ API-1 {2}proved/);
});

test("what failed is shown with its evidence and the command that shows it again", () => {
  const text = renderReport(report);
  assert.match(text, /GET \/api\/x: shows a stack frame/);
  assert.match(text, /> GET https:\/\/localhost:8443\/api\/x \(h2\)/);
  assert.match(text, /\$ curl 'https:\/\/localhost:8443\/api\/x'/);
});

test("what could not be checked and what is weakened are told", () => {
  const text = renderReport(report);
  assert.match(text, /API-2: two instances: one instance runs/);
  assert.match(text, /upstreams\.shop\.insecureAllowHttp: listens on loopback only/);
  assert.match(text, /1 failed, 1 unknown, 1 proved/);
});

test("nothing of the target reaches the terminal raw, with colour or without", () => {
  for (const colour of [false, true]) {
    const text = stripVTControlCharacters(renderReport(report, { colour }));
    assert.match(text, /\\u\{1b\}\]0;owned\\u\{7\}/);
    // oxlint-disable-next-line no-control-regex -- control characters are what must not be there
    assert.doesNotMatch(text, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
  }
});

test("without colour there is no escape at all", () => {
  assert.ok(!renderReport(report).includes("\u001b"));
});
