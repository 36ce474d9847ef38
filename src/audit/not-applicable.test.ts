import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { Contract } from "../contract/index.ts";
import { testCertificate } from "./fixtures/certificate.ts";
import { startSite } from "./fixtures/site.ts";
import type { Fault } from "./fixtures/faults.ts";
import { runAudit } from "./node/run.ts";
import type { AuditOptions } from "./node/run.ts";
import type { AuditReport, AuditRow } from "./report.ts";

const root = mkdtempSync(join(tmpdir(), "curtainwall-idle-"));
after(() => rmSync(root, { recursive: true, force: true }));
writeFileSync(join(root, "ca.pem"), (await testCertificate()).ca);

const only = ["API-1", "API-2", "API-3", "API-5", "API-7", "API-8", "FE-2", "FE-4", "SEC-2"];

/** Audits the test site by another contract than its own. */
async function audit(
  change: (contract: Contract) => Partial<Contract>,
  more: Partial<AuditOptions> = {},
  faults: Fault[] = [],
): Promise<AuditReport> {
  const site = await startSite(...faults);
  const contract = { ...site.contract, ...change(site.contract) };
  const keys = new Set(contract.routes.map(({ key }) => key));
  const kept = <Value>(
    record: Readonly<Record<string, Value>> = {},
    among: ReadonlySet<string> = keys,
  ): Record<string, Value> => Object.fromEntries(Object.entries(record).filter(([key]) => among.has(key)));
  const keysWith = (option: "visible" | "failures"): ReadonlySet<string> =>
    new Set(contract.routes.filter((route) => route[option] !== undefined).map(({ key }) => key));
  const { plan, release, target, ca, logged } = site;
  try {
    return await runAudit({
      contract,
      plan: {
        ...plan,
        samples: kept(plan.samples),
        failures: kept(plan.failures),
        lies: kept(plan.lies),
        state: kept(plan.state),
        hidden: kept(plan.hidden, keysWith("visible")),
        guesses: kept(plan.guesses, keysWith("failures")),
      },
      release,
      target,
      ca,
      root,
      only,
      timeoutMs: 20_000,
      maxSlowMs: 1000,
      lookUpLedger: async (id) => (logged.has(id) ? id : undefined),
      ...more,
    });
  } finally {
    await site.close();
  }
}

const rowOf = ({ rows }: AuditReport, id: string): AuditRow => {
  const row = rows.find((candidate) => candidate.id === id);
  assert.ok(row !== undefined);
  return row;
};
const idle = (row: AuditRow): string[] =>
  row.checks.filter(({ state }) => state === "not applicable").map(({ name }) => name);
const public_ = (contract: Contract): Partial<Contract> => ({
  routes: contract.routes
    .filter(({ access }) => access.kind === "everyone")
    .map((route) => ({ ...route, visible: undefined })),
});

test("a site where everybody may call everything does not get API-1 proved: nobody is asked for a token there", async () => {
  const report = await audit(public_);
  const { verdict, ran, of, notApplicable, reason, checks } = rowOf(report, "API-1");
  assert.deepEqual(
    checks.filter(({ state }) => state === "missing" || state === "failed"),
    [],
  );
  assert.deepEqual([verdict, ran, of, notApplicable], ["unknown", 5, 5, checks.length - 5]);
  assert.equal(
    reason,
    "nothing to check: no route needs a token; no route hides some of its objects; no route takes webhooks",
  );
  // What the site has is proved all the same, and not with checks that had nothing to do.
  assert.equal(rowOf(report, "API-3").verdict, "proved");
  assert.deepEqual(idle(rowOf(report, "FE-4")), [
    "200, an event stream (HTTP/1.1)",
    "200, an event stream (HTTP/2)",
    "200, a download (HTTP/1.1)",
    "200, a download (HTTP/2)",
    "401, the API (HTTP/1.1)",
    "401, the API (HTTP/2)",
    "403, the API (HTTP/1.1)",
    "403, the API (HTTP/2)",
  ]);
});

test("a supporting check that fails still fails its row, though nothing there could prove it", async () => {
  const report = await audit(public_, { only: ["API-1"] }, ["answers undeclared paths"]);
  assert.equal(rowOf(report, "API-1").verdict, "failed");
});

test("a site without an API has nothing to check for the API's rows, and its pages are checked as ever", async () => {
  const report = await audit(() => ({
    routes: [],
    apiRoots: new Set(),
    identity: undefined,
    upstreams: new Map(),
  }));
  for (const id of ["API-1", "API-3", "API-5"]) {
    const { verdict, reason } = rowOf(report, id);
    assert.deepEqual(
      [id, verdict, reason],
      [id, "unknown", "nothing to check: the contract declares no route"],
    );
  }
  // Slow clients are all that is left of API-2, and no limit is proved by them.
  const limits = rowOf(report, "API-2").checks.filter(({ state }) => state !== "not applicable");
  assert.deepEqual(
    limits.map(({ name, isSupporting }) => [name, isSupporting]),
    [
      ["slow headers", true],
      ["an honest client that pauses is served", true],
    ],
  );
  assert.equal(rowOf(report, "API-7").verdict, "proved");
  assert.equal(rowOf(report, "API-8").verdict, "proved");
  const headers = rowOf(report, "FE-4");
  assert.equal(headers.verdict, "proved");
  assert.equal(headers.of, 28);
});

test("without a site the checks of pages do not apply, and FE-2 is unknown", async () => {
  const report = await audit(() => ({ site: undefined }), { release: undefined, only: ["FE-2", "FE-4"] });
  const { verdict, reason, checks } = rowOf(report, "FE-2");
  // Without a release a check that supports the row is missing: that is told, and not that there was nothing.
  assert.ok(checks.some(({ state }) => state === "missing"));
  assert.deepEqual([verdict, reason], ["unknown", undefined]);
  assert.deepEqual(
    idle(rowOf(report, "FE-4")).filter((name) => name.includes("HTTP/2")),
    [
      "200, a page (HTTP/2)",
      "200, a page as browsers ask for it (HTTP/2)",
      "200, an asset of each kind (HTTP/2)",
      "206, a part of a file (HTTP/2)",
      "416, no part of a file (HTTP/2)",
      "304 (HTTP/2)",
      "HEAD (HTTP/2)",
      "308, a redirect (HTTP/2)",
      "308, a redirect that takes a query along (HTTP/2)",
      "200, an event stream (HTTP/2)",
      "200, a download (HTTP/2)",
    ],
  );
});

test("an upstream over http keeps API-8 from being proved: on this machine unknown, elsewhere failed", async () => {
  const over =
    (url: string) =>
    (contract: Contract): Partial<Contract> => ({
      upstreams: new Map(
        [...contract.upstreams].map(([name, shop]) => [name, { ...shop, url: new URL(url) }]),
      ),
      weakenings: [{ at: "upstreams.shop.insecureAllowHttp", reason: "listens on loopback only" }],
    });
  const near = rowOf(await audit(over("http://127.0.0.1:9"), { only: ["API-8"] }), "API-8");
  assert.deepEqual([near.verdict, near.ran, near.of], ["unknown", 8, 9]);
  const far = rowOf(await audit(over("http://shop.internal"), { only: ["API-8"] }), "API-8");
  assert.deepEqual([far.verdict, far.failed], ["failed", 1]);
});

test("nothing that a target answers makes a check not apply: dead or wrong, the same checks do", async () => {
  const honest = await audit(public_);
  const dead = await audit(public_, { target: new URL("https://localhost:1"), timeoutMs: 200 });
  const wrong = await audit(public_, {}, [
    "limits nobody",
    "strips unknown keys",
    "answers undeclared paths",
  ]);
  for (const id of only.filter((row) => row !== "SEC-2")) {
    assert.deepEqual(idle(rowOf(dead, id)), idle(rowOf(honest, id)), id);
    assert.deepEqual(idle(rowOf(wrong, id)), idle(rowOf(honest, id)), id);
  }
});

test("where no issuer is named, no token of one can be forged; what asks for no token is seen all the same", async () => {
  const report = await audit(() => ({ identity: undefined }), { only: ["API-1"] });
  const states = new Map(report.rows[0]?.checks.map(({ name, state }) => [name, state]));
  for (const name of ["expired token", "alg:none", "key confusion", "token of another issuer"])
    assert.equal(states.get(name), "not applicable", name);
  assert.equal(states.get("no token"), "passed");
});
