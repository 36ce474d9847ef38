import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { requires } from "../../../test/requires.ts";
import { startSite } from "../fixtures/site.ts";
import type { Fault } from "../fixtures/faults.ts";
import type { AuditRow } from "../report.ts";
import { openBrowser } from "./browser.ts";
import { runAudit } from "./run.ts";

const chromium = requires("chromium");
const root = mkdtempSync(join(tmpdir(), "curtainwall-browser-"));
after(() => rmSync(root, { recursive: true, force: true }));

async function auditPolicy(faults: Fault[], browser = { executablePath: chromium.path }): Promise<AuditRow> {
  const { contract, plan, release, target, ca, close } = await startSite(...faults);
  try {
    const { rows } = await runAudit({ contract, plan, release, target, ca, root, only: ["FE-2"], browser });
    assert.ok(rows[0] !== undefined);
    return rows[0];
  } finally {
    await close();
  }
}

const verdictOf = (row: AuditRow, name: string): string | undefined =>
  row.checks.find((check) => check.name === name)?.state;

test(
  "FE-2 is proved: no page violates its policy, and injected scripts are blocked and reported",
  chromium,
  async () => {
    const row = await auditPolicy([]);
    assert.equal(
      row.verdict,
      "proved",
      JSON.stringify(row.checks.filter((check) => check.state !== "passed")).slice(0, 2000),
    );
  },
);

test("FE-2 fails when injected scripts run", chromium, async () => {
  const row = await auditPolicy(["allows inline scripts"]);
  assert.equal(verdictOf(row, "injected scripts are blocked and reported"), "failed");
});

test("FE-2 fails when a page violates its own policy", chromium, async () => {
  const row = await auditPolicy(["breaks its own policy"]);
  assert.equal(verdictOf(row, "zero violations in a browser, on every page"), "failed");
});

test("without a browser FE-2 is unknown, and says what is missing", async () => {
  const row = await auditPolicy([], { executablePath: "/nowhere/chromium" });
  assert.equal(row.verdict, "unknown");
  assert.deepEqual([row.ran, row.of], [6, 8]);
  assert.match(
    row.checks.find((check) => check.state === "missing")?.reason ?? "",
    /nowhere\/chromium did not start/,
  );
});

test(
  "a page in a sandbox without scripts, as a bare 404 is, is visited like any other",
  chromium,
  async () => {
    const server = createServer((_, response) => {
      response
        .writeHead(404, { "content-security-policy": "default-src 'none'; sandbox" })
        .end("404 Not Found");
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const target = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const browser = await openBrowser({ executablePath: chromium.path, target, spkiSha256: "" });
    try {
      const { status, violations, marks } = await browser.visit("/nothing/");
      assert.deepEqual({ status, violations, marks }, { status: 404, violations: [], marks: [] });
    } finally {
      await browser.close();
      server.close();
    }
  },
);
