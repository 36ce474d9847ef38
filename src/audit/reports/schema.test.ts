import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Ajv2020 } from "ajv/dist/2020.js";
import { isCurtainwallError } from "../../shared/index.ts";
import { hostileReport, sampleReport } from "../fixtures/report.ts";
import { startSite } from "../fixtures/site.ts";
import { runAudit } from "../node/run.ts";
import { auditReportSchema, parseReport } from "./schema.ts";

/** Its own implementation of JSON Schema, not the one that the schema was made with. */
const isValid = new Ajv2020({ strict: true, strictTypes: false, validateFormats: false }).compile(
  auditReportSchema(),
);

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

test("reports of real audits are as the JSON Schema says, and read back as they were", async () => {
  const root = mkdtempSync(join(tmpdir(), "curtainwall-schema-"));
  const site = await startSite("asks nobody for a token");
  try {
    const { contract, plan, release, target, ca } = site;
    const options = { contract, release, target, ca, root, timeoutMs: 3000, maxSlowMs: 500 };
    const attacked = await runAudit({ ...options, plan, only: ["API-1", "API-8", "SEC-2", "FE-2", "MON-1"] });
    assert.equal(attacked.summary.failed > 0, true, "a report with findings");
    const unplanned = await runAudit({ ...options, only: ["API-3", "API-7", "FE-4"] });
    for (const report of [attacked, unplanned]) {
      assert.equal(isValid(plain(report)), true, JSON.stringify(isValid.errors));
      assert.deepEqual(parseReport(plain(report)), plain(report));
    }
  } finally {
    await site.close();
    rmSync(root, { recursive: true, force: true });
  }
});

test("a report full of hostile text is still a report", () => {
  for (const report of [sampleReport(), hostileReport()])
    assert.equal(isValid(plain(report)), true, JSON.stringify(isValid.errors));
});

test("what is no report is refused with the place that is wrong, by the schema and by whoever reads it", () => {
  const good = sampleReport();
  const [first, ...others] = good.rows;
  const wrong: [string, unknown][] = [
    ["it", null],
    ["format", { ...good, format: 2 }],
    ["it", { ...good, extra: 1 }],
    ["startedAt", { ...good, startedAt: 5 }],
    ["rows.0.verdict", { ...good, rows: [{ ...first, verdict: "fine" }, ...others] }],
    [
      "rows.0.checks.0.state",
      { ...good, rows: [{ ...first, checks: [{ ...first?.checks[0], state: "ok" }] }] },
    ],
    [
      "rows.0.checks.0.evidence.0.kind",
      {
        ...good,
        rows: [{ ...first, checks: [{ ...first?.checks[0], evidence: [{ kind: "rumour", about: "x" }] }] }],
      },
    ],
    ["contract.digest", { ...good, contract: { ...good.contract, digest: "none" } }],
  ];
  for (const [where, value] of wrong) {
    assert.equal(isValid(plain(value)), false, where);
    assert.throws(
      () => parseReport(plain(value)),
      (error) =>
        isCurtainwallError(error, "AUDIT_REPORT_INVALID") && error.message.includes(`: ${where} is not`),
      where,
    );
  }
});
