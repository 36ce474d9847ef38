import assert from "node:assert/strict";
import { test } from "node:test";
import type { AuditMend, AuditReport } from "../../audit/index.ts";
import { renderReport } from "./audit-report.ts";

const mend: AuditMend = {
  checks: ["null", "prefix", "suffix", "port"].map((kind) => ({
    row: "API-5",
    name: `origin refused: ${kind}`,
  })),
  says: "Origins are compared whole with a list",
  framework: "Express",
  because: "x-powered-by: Express\u001b[2J",
  where: "before the routes",
  language: "js",
  code: "app.use(cors);\n\tnext();",
};

const report: AuditReport = {
  format: 1,
  target: "https://shop.example",
  startedAt: "2026-11-22T00:00:00.000Z",
  durationMs: 1000,
  weakenings: [],
  rows: [],
  mends: [mend],
  summary: { proved: 0, evidenced: 0, attested: 0, failed: 0, unknown: 0 },
};

test("a mend stands in a line, and says where its code is", () => {
  const text = renderReport(report);
  assert.match(text, /^ {2}1\. Origins are compared whole with a list$/m);
  assert.match(text.replaceAll(/\s+/g, " "), /The code of each: --verbose, or --html file\./);
  assert.doesNotMatch(text, /app\.use/);
});

test("with verbose a mend stands with what it is for, where it goes, and its code line by line", () => {
  const text = renderReport(report, { verbose: true });
  assert.match(text, /^ {2}found by API-5: .*null, .*prefix, .*suffix and 1 more$/m);
  assert.match(text, /^ {2}Express, before the routes:\n {4}app\.use\(cors\);\n {8}next\(\);$/m);
});

test("what a target says of itself does not act on the terminal", () => {
  const text = renderReport(report);
  assert.ok(!text.includes("\u001b"));
  assert.ok(text.includes("x-powered-by: Express\\u{1b}[2J"));
});

test("a report without mends has no such part", () => {
  const { mends: _, ...plain } = report;
  assert.ok(!renderReport(plain).includes("Mends"));
});
