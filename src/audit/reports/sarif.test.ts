import assert from "node:assert/strict";
import { test } from "node:test";
import { check, exchange, hostileReport, row, sampleReport } from "../fixtures/report.ts";
import type { AuditReport } from "../report.ts";
import { assertSarif } from "../../../test/support/sarif-schema.ts";
import { toSarif } from "./sarif.ts";

interface Result {
  ruleId: string;
  ruleIndex: number;
  level: string;
  kind: string;
  message: { text: string };
  locations: {
    message?: { text: string };
    physicalLocation: { artifactLocation: { uri: string }; region: { startLine: number } };
    logicalLocations?: { fullyQualifiedName: string }[];
  }[];
  partialFingerprints: Record<string, string>;
  occurrenceCount: number;
  webRequest?: { method: string; target: string };
  webResponse?: { statusCode: number; headers: Record<string, string> };
}

interface Run {
  tool: { driver: { rules: { id: string }[]; semanticVersion?: string } };
  results: Result[];
  invocations: { toolExecutionNotifications: { associatedRule: { id: string; index: number } }[] }[];
}

async function runOf(report: AuditReport): Promise<Run> {
  const log = JSON.parse(await toSarif(report)) as { version: string; runs: [Run] };
  assert.equal(log.version, "2.1.0");
  return log.runs[0];
}

test("SARIF has a rule for each check and a result for each finding, at its place in the contract", async () => {
  const { tool, results } = await runOf(sampleReport());
  assert.equal(tool.driver.semanticVersion, "0.1.0");
  assert.equal(
    tool.driver.rules.length,
    6 + 3,
    "and one for each item that is unknown, or of which something was not made",
  );
  const [result, ...others] = results.filter(({ kind }) => kind === "fail");
  assert.deepEqual(others, [], "two findings that differ in a number only are one");
  assert.equal(result?.occurrenceCount, 2);
  assert.equal(result?.ruleId, "API-2/burst-of-n-1");
  assert.equal(tool.driver.rules[result?.ruleIndex ?? -1]?.id, result?.ruleId);
  assert.deepEqual([result?.kind, result?.level], ["fail", "error"]);
  assert.match(result?.message.text ?? "", /61 of 60 requests were served\. See it again: {2}curl/);
  const [location] = result?.locations ?? [];
  assert.equal(location?.physicalLocation.artifactLocation.uri, "examples/shop/curtainwall.config.ts");
  assert.equal(location?.physicalLocation.region.startLine, 63);
  assert.equal(location?.message?.text, "limit of GET /api/orders/:id");
  assert.equal(location?.logicalLocations?.[0]?.fullyQualifiedName, "GET /api/orders/:id");
  assert.deepEqual([result?.webRequest?.method, result?.webResponse?.statusCode], ["GET", 200]);
  assert.equal(result?.webResponse?.headers["vary"], "origin, accept");
});

test("each item that is unknown, or of which something was not made, is an open result: shown where results alone are, and no failure (SARIF 2.1.0 §3.27.9)", async () => {
  const { tool, results } = await runOf(sampleReport());
  const open = results.filter(({ kind }) => kind === "open");
  assert.deepEqual(
    open.map(({ ruleId, level, message }) => [ruleId, level, message.text]),
    [
      [
        "API-2/not-checked",
        "none",
        "API-2: failed: 0 of 2 checks passed, 1 failed, 1 not made. slow headers: nobody came",
      ],
      [
        "API-3/not-checked",
        "none",
        "API-3: unknown: 0 of 1 check passed, 1 not made. types: the plan has no sample for GET /api/orders/:id",
      ],
    ],
  );
  for (const { ruleId, ruleIndex, locations } of open) {
    assert.equal(tool.driver.rules[ruleIndex]?.id, ruleId);
    assert.equal(locations.length, 1, "code scanning refuses a file with a result that has no place");
    assert.equal(locations[0]?.physicalLocation.artifactLocation.uri, "examples/shop/curtainwall.config.ts");
  }
  assert.equal(
    new Set(results.map(({ partialFingerprints }) => partialFingerprints["curtainwall/v1"])).size,
    results.length,
  );
});

test("an item with nothing to check is unknown, and a result that asks for a review (SARIF 2.1.0 §3.27.9)", async () => {
  const { results } = await runOf(sampleReport());
  const idle = results.filter(({ ruleId }) => ruleId.startsWith("API-4/"));
  assert.deepEqual(
    idle.map(({ kind, level, message }) => [kind, level, message.text]),
    [["review", "none", "API-4: unknown: 1 not applicable. nothing to check: the contract has no site"]],
  );
});

test("what waits for a later version is open while its item is unknown, and no news where the item failed", async () => {
  const later = check("sinks", "missing", { observations: 0, reason: "comes with islands" });
  const log = await toSarif(
    sampleReport(
      row("FE-1", "No injection", check("vectors", "passed"), later),
      row("FE-5", "Content", check("vectors", "failed"), later),
    ),
  );
  assertSarif(log);
  const { results, invocations } = (JSON.parse(log) as { runs: [Run] }).runs[0];
  const open = results.filter(({ level }) => level === "none").map(({ ruleId }) => ruleId);
  assert.deepEqual(
    open.filter((id) => id.startsWith("FE-")),
    ["FE-1/not-checked"],
  );
  const told =
    invocations[0]?.toolExecutionNotifications.map(({ associatedRule }) => associatedRule.id) ?? [];
  assert.equal(told.includes("FE-5/sinks"), true);
});

test("each check that could not be made is told by SARIF's notifications too, with its reason", async () => {
  const { tool, invocations } = await runOf(sampleReport());
  const told = invocations[0]?.toolExecutionNotifications.map(({ associatedRule }) => associatedRule) ?? [];
  assert.deepEqual(told.map(({ id }) => id).sort(), ["API-2/slow-headers", "API-3/types"]);
  for (const { id, index } of told) assert.equal(tool.driver.rules[index]?.id, id);
});

test("a fingerprint stays when numbers, marks and lines change, and differs by check and by route", async () => {
  const finding = (name: string, about: string, path = "orders/1001"): AuditReport =>
    sampleReport(
      row(
        "API-5",
        "CORS allow-list",
        check(name, "failed", {
          evidence: [exchange(about, { url: `https://localhost:8443/api/${path}` })],
          failing: 1,
        }),
      ),
    );
  const print = async (report: AuditReport): Promise<string | undefined> =>
    (await runOf(report)).results.find(({ ruleId }) => ruleId.startsWith("API-5/"))?.partialFingerprints[
      "curtainwall/v1"
    ];
  const one = await print(finding("a", "cwabcdefghijklmnop got 12 answers in 3.5 s"));
  assert.equal(typeof one, "string");
  assert.equal(await print(finding("a", "cwponmlkjihgfedcba got 7 answers in 9 s")), one);
  const moved = finding("a", "cwabcdefghijklmnop got 12 answers in 3.5 s");
  const routes = { "GET /api/orders/:id": "curtainwall.config.ts:99" };
  const options = { "GET /api/orders/:id": { limit: "curtainwall.config.ts:101" } };
  if (moved.contract !== undefined) moved.contract = { ...moved.contract, routes, options };
  assert.equal(await print(moved), one);
  assert.notEqual(await print(finding("b", "cwabcdefghijklmnop got 12 answers in 3.5 s")), one);
  assert.notEqual(await print(finding("a", "cwabcdefghijklmnop got 12 answers in 3.5 s", "products")), one);
  assert.notEqual(await print(finding("a", "another thing")), one);
});

test("hostile text stays within SARIF's strings, and a place is always inside the repository", async () => {
  const { results } = await runOf(hostileReport());
  const hostile = results.filter(({ ruleId }) => ruleId.startsWith("API-7/"));
  assert.ok(hostile.length > 0);
  for (const { locations } of hostile)
    for (const { physicalLocation } of locations)
      assert.match(physicalLocation.artifactLocation.uri, /^examples\/shop\/[^:]*$/);
});

test("it is what the schema of SARIF 2.1.0 says, hostile or not", async () => {
  const sample = sampleReport();
  for (const report of [
    sample,
    hostileReport(),
    { ...sample, rows: [] },
    { ...sample, contract: undefined, tool: undefined },
  ])
    assertSarif(await toSarif(report as AuditReport));
});

test("and the schema is one that refuses", async () => {
  const log = JSON.parse(await toSarif(sampleReport())) as { runs: [{ results: Result[] }] };
  const bent = (change: (result: Result) => void): string => {
    const copy = structuredClone(log);
    change(copy.runs[0].results[0] as Result);
    return JSON.stringify(copy);
  };
  assertSarif(bent(() => undefined));
  const refused = [
    bent((result) => (result.level = "fatal")),
    bent((result) => (result.ruleIndex = -2)),
    bent((result) => Object.assign(result, { verdict: "failed" })),
    bent((result) => {
      const [location] = result.locations;
      if (location !== undefined) location.physicalLocation.artifactLocation.uri = "a b.ts";
    }),
    bent((result) => {
      const [location] = result.locations;
      if (location !== undefined) location.physicalLocation.region.startLine = 0;
    }),
  ];
  for (const text of refused) assert.throws(() => assertSarif(text), { name: "AssertionError" });
});
