import assert from "node:assert/strict";
import { test } from "node:test";
import { check, row, sampleReport } from "../fixtures/report.ts";
import { toHtml } from "./html.ts";
import { toJunit } from "./junit.ts";
import { rowCounts } from "./row-counts.ts";
import { toSarif } from "./sarif.ts";

const missing = (name: string, reason = "nobody came"): ReturnType<typeof check> =>
  check(name, "missing", { observations: 0, reason });
const idle = (name: string): ReturnType<typeof check> =>
  check(name, "not applicable", { observations: 0, reason: "the contract declares no function" });

test("a number is of what passed, whatever the verdict; what does not apply is counted apart", () => {
  const [good, bad] = [check("a", "passed"), check("b", "failed")];
  for (const [made, says] of [
    [row("FE-1", "", good, idle("x")), "1 of 1 check passed, 1 not applicable"],
    [
      row("FE-1", "", good, good, missing("m"), idle("x")),
      "2 of 3 checks passed, 1 not made, 1 not applicable",
    ],
    [row("FE-1", "", good, bad, missing("m")), "1 of 3 checks passed, 1 failed, 1 not made"],
    [row("FE-1", "", bad), "0 of 1 check passed, 1 failed"],
  ] as const)
    assert.equal(rowCounts(made), says);
});

test("where there is nothing to check no check is counted as not made", () => {
  const declared = check("declared", "passed", { isSupporting: true });
  const row1 = row("SEC-5", "Least privilege", declared, idle("x"), idle("y"));
  assert.equal(row1.verdict, "unknown");
  assert.equal(rowCounts(row1), "1 check passed, which proves nothing alone, 2 not applicable");
  assert.equal(rowCounts(row1, { isShort: true }), "nothing to check");
  assert.equal(rowCounts(row("SEC-5", "", idle("x"))), "1 not applicable");
});

test("what comes with a later version is not made yet, and said to be that", () => {
  const later = row(
    "MON-2",
    "Alerts",
    missing("one", "comes with alerts"),
    missing("two", "comes with alerts"),
  );
  assert.equal(rowCounts(later), "0 of 2 checks passed, 2 not made yet");
  assert.equal(rowCounts(later, { isShort: true }), "not yet");
});

test("a row is counted alike in HTML, SARIF and JUnit", async () => {
  const report = sampleReport(row("FE-9", "Nine", check("a", "passed"), missing("m"), idle("x")));
  const { runs } = JSON.parse(await toSarif(report)) as {
    runs: [{ results: { ruleId: string; message: { text: string } }[] }];
  };
  const open = runs[0].results.find(({ ruleId }) => ruleId === "FE-9/not-checked");
  assert.match(
    open?.message.text ?? "",
    /^FE-9: unknown: 1 of 2 checks passed, 1 not made, 1 not applicable\. m: nobody came/,
  );
  assert.ok((await toHtml(report)).includes('<span class="of"> 1 of 2 passed, 1 not made</span>'));
  assert.match(
    toJunit(report),
    /name="FE-9 Nine"[\s\S]*<system-out>unknown: 1 of 2 checks passed, 1 not made, 1 not applicable<\/system-out>/,
  );
});
