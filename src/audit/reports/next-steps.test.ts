import assert from "node:assert/strict";
import { test } from "node:test";
import { check, row, sampleReport } from "../fixtures/report.ts";
import type { AuditMend } from "../mends/mends.ts";
import type { AuditReport } from "../report.ts";
import { nextSteps } from "./next-steps.ts";
import { noPlan } from "../plan/no-plan.ts";

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

test("without a plan it is said once, whatever else the checks lack, with the command that shows one", () => {
  const reasons = [noPlan, `${noPlan}; ownership takes two identities`, "there is no Chromium"];
  const missing = reasons.map((reason, index) => ({ ...check(`check ${index}`, "missing"), reason }));
  const steps = nextSteps({ ...sampleReport(), rows: [row("API-1", "Access", ...missing)] });
  assert.deepEqual(
    steps.filter(({ about }) => about === "gap"),
    [
      {
        about: "gap",
        what: `2 checks were not made (API-1): ${noPlan}`,
        command: "npx curtainwall audit --help",
      },
      { about: "gap", what: "1 check was not made (API-1): there is no Chromium" },
    ],
  );
});

test("where something else than Curtainwall is served no build is advised, which nobody would serve", () => {
  const reason =
    "there is no release to compare with: a site that another server serves has none, and one of curtainwall start is built with  npx curtainwall build";
  const missing = check("the release", "missing", { reason, observations: 0 });
  const report = sampleReport(row("FE-2", "Policy", missing));
  const commands = (made: AuditReport): (string | undefined)[] =>
    nextSteps(made).map(({ command }) => command);
  assert.ok(commands(report).includes("npx curtainwall build"));
  const mend = {
    checks: [],
    says: "x",
    framework: "Express",
    because: "x",
    where: "x",
    language: "js",
    code: "x",
  } as const;
  const elsewhere = { ...report, mends: [{ ...mend, checks: [] }] };
  assert.ok(!commands(elsewhere).includes("npx curtainwall build"));
  assert.ok(
    nextSteps(elsewhere).some(({ what }) =>
      what.includes("made with Express, and no release of Curtainwall"),
    ),
  );
});
