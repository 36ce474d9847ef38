import assert from "node:assert/strict";
import { test } from "node:test";
import { check, row, sampleReport } from "../fixtures/report.ts";
import { nextSteps } from "./next-steps.ts";

test("what can be done at once comes before what takes another machine or network, however many checks wait for it", () => {
  const report = sampleReport();
  const [row] = report.rows;
  const [check] = row?.checks ?? [];
  assert.ok(row !== undefined && check !== undefined);
  const missing = (name: string, reason: string): typeof check => ({
    ...check,
    name,
    state: "missing",
    reason,
  });
  const steps = nextSteps({
    ...report,
    rows: [
      {
        ...row,
        checks: [
          missing("a", "the plan names no second host (otherAddresses)"),
          missing("b", "the plan names no second host (otherAddresses)"),
          missing("c", "the plan names no ipv6Prefix"),
          missing("d", "the plan has no samples"),
        ],
      },
    ],
  }).map(({ what }) => what);
  const at = (words: string): number => steps.findIndex((what) => what.includes(words));
  assert.ok(at("no samples") >= 0);
  assert.ok(at("no samples") < at("second host"), steps.join("\n"));
  assert.ok(at("no samples") < at("ipv6Prefix"), steps.join("\n"));
});

test("each item that failed is told once, so that the first doesn't hide the others", () => {
  const { rows: _, ...report } = sampleReport();
  const failures = ["a", "b", "c", "d", "e", "f", "g", "h", "i"].map((name) => check(name, "failed"));
  const rows = [row("API-1", "Access", ...failures), row("API-5", "CORS", check("j", "failed"))];
  assert.deepEqual(
    nextSteps({ ...report, rows }).map(({ what }) => what),
    ["Mend API-1, a: Access; then 8 more of API-1", "Mend API-5, j: CORS"],
  );
});
