import assert from "node:assert/strict";
import { test } from "node:test";
import { check, row, sampleReport } from "../fixtures/report.ts";
import type { AuditMend } from "../mends/mends.ts";
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

test("each item that failed is told once, so that the first doesn't hide the others, with the code that mends it", () => {
  const { rows: _, ...report } = sampleReport();
  const failures = ["a", "b", "c", "d", "e", "f", "g", "h", "i"].map((name) => check(name, "failed"));
  const others = Array.from({ length: 10 }, (_item, index) =>
    row(`FE-${index + 1}`, "Pages", check("k", "failed")),
  );
  const rows = [row("API-1", "Access", ...failures), row("API-5", "CORS", check("j", "failed")), ...others];
  const mend = (id: string, name: string): AuditMend => ({
    checks: [{ row: id, name }],
    says: `What mends ${name}`,
    framework: "Express",
    because: "a test says so",
    where: "first",
    language: "js",
    code: "app();",
  });
  const mends = [mend("API-5", "j"), mend("API-1", "b"), mend("API-1", "a")];
  const steps = nextSteps({ ...report, rows, mends });
  assert.deepEqual(
    steps.slice(0, 2).map(({ what, mends: places }) => [what, places]),
    [
      ["Mend API-1, a: Access; then 8 more of API-1", [2, 1]],
      ["Mend API-5, j: CORS", [0]],
    ],
  );
  assert.equal(steps.length, 12, "all of them");
});
