import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { runAudit, toSarif } from "../src/audit/index.ts";
import type { AuditPlan, AuditReport } from "../src/audit/index.ts";
import { findMends } from "../src/audit/mends/mends.ts";
import { mendSettings } from "../src/audit/mends/settings.ts";
import { parseContract } from "../src/contract/index.ts";
import type { Contract } from "../src/contract/index.ts";
import { assertSarif } from "./support/sarif-schema.ts";
import { expressUsage, mendedFolder, naiveFolder, nodeUsage, startApp } from "./support/naive-app.ts";
import type { RunningApp } from "./support/naive-app.ts";

/** What is planted in examples/naive, and the checks that find it. README.md has the same table. */
const planted: readonly (readonly [mistake: string, row: string, checks: readonly string[]])[] = [
  [
    "tokens",
    "API-1",
    ["no token", "expired token", "token for another audience", "alg:none", "key confusion"],
  ],
  [
    "access",
    "API-1",
    ["user A asks for what is B's", "lower role", "a canary object of each identity reaches its owner only"],
  ],
  ["methods", "API-1", ["an undeclared path is 404, an undeclared method 405"]],
  [
    "limits",
    "API-2",
    ["burst of N + 1", "one client's burst does not lock others out", "X-Forwarded-For rotation"],
  ],
  ["server", "API-2", ["slow headers", "slow body"]],
  ["input", "API-3", ["wrong types", "bounds", "extra keys", "__proto__ and constructor", "state unchanged"]],
  ["body", "API-3", ["duplicate keys", "depth", "size", "malformed JSON, paths and text", "media types"]],
  [
    "cors",
    "API-5",
    [
      ..."null prefix suffix subdomain port scheme case".split(" ").map((kind) => `origin refused: ${kind}`),
      "credentials",
      "Vary: Origin on every API answer",
      "preflight",
    ],
  ],
  [
    "errors",
    "API-7",
    [
      "one error shape with an id (RFC 9457)",
      "no stack, path, SQL or version in errors",
      "errors do not repeat what was sent",
      "a bad request is never a 5xx",
      "an upstream's failure stays inside",
    ],
  ],
  [
    "answers",
    "API-7",
    [
      "success bodies hold nothing undeclared",
      "success headers hold nothing undeclared, and lead nowhere else",
      "planted canaries stay inside",
    ],
  ],
  ["plain HTTP", "API-8", ["TLS 1.3 and its cipher", "HSTS", "nothing is served over plain HTTP"]],
  ["headers", "FE-2", ["every policy that is sent is strict"]],
  [
    "headers",
    "FE-4",
    [
      "200, a page (HTTP/1.1)",
      "404, the API (HTTP/1.1)",
      "400, malformed (HTTP/1.1)",
      "429, the API (HTTP/1.1)",
    ],
  ],
  ["files", "SEC-2", ["none is served"]],
];

/** What a listener can't mend: TLS takes a certificate, which the example has none of. */
const unmended = new Set(["plain HTTP"]);

let login: RunningApp;
let loads = 0;

before(async () => {
  login = await startApp(naiveFolder, "login.js");
  process.env.NAIVE_LOGIN = login.address;
});
after(() => login.stop());

/** The example's contract, read for that address. */
async function load(address: string): Promise<{ contract: Contract; plan: AuditPlan }> {
  process.env.NAIVE_APP = address;
  const config = pathToFileURL(join(naiveFolder, "curtainwall.config.ts")).href;
  const contract = (await import(`${config}?load=${++loads}`)) as { default: unknown };
  const plan = (await import(pathToFileURL(join(naiveFolder, "curtainwall.audit.ts")).href)) as {
    default: AuditPlan;
  };
  return { contract: parseContract(contract.default), plan: plan.default };
}

async function auditOf(folder: string, maxSlowMs: number): Promise<AuditReport> {
  const app = await startApp(folder, "server.js", { NAIVE_LOGIN: login.address });
  try {
    const target = new URL(app.address);
    return await runAudit({ ...(await load(app.address)), target, root: naiveFolder, maxSlowMs });
  } finally {
    await app.stop();
  }
}

function stateOf({ rows }: AuditReport, row: string, name: string): string {
  const check = rows.find(({ id }) => id === row)?.checks.find((one) => one.name === name);
  assert.ok(check !== undefined, `${row} has no check "${name}"`);
  const [first] = check.evidence;
  return check.state === "passed" ? "passed" : `${check.state}: ${check.reason ?? first?.about ?? ""}`;
}

suite("the naive example, looked at from outside", () => {
  let report: AuditReport;
  before(async () => {
    report = await auditOf(naiveFolder, 3000);
  });

  for (const [mistake, row, checks] of planted)
    test(`${row} finds the mistake in ${mistake}, each by its check, with evidence and a mend`, () => {
      for (const name of checks) {
        const check = report.rows.find(({ id }) => id === row)?.checks.find((one) => one.name === name);
        assert.equal(check?.state, "failed", `${name}: ${stateOf(report, row, name)}`);
        assert.ok(check.evidence.length > 0, name);
        const mend = report.mends?.find((one) =>
          one.checks.some((found) => found.row === row && found.name === name),
        );
        assert.equal(mend?.framework, "Express", name);
        assert.equal(mend.because, "x-powered-by: Express");
      }
    });

  test("and nothing is proved of it", () => {
    assert.equal(report.summary.proved, 0);
  });

  test("what needs a release is not made, and a build is not said to be all that it takes: another server has none", () => {
    const reasons = report.rows
      .flatMap(({ checks }) => checks)
      .flatMap(({ state, reason = "" }) =>
        state === "missing" && reason.includes("no release") ? [reason] : [],
      );
    assert.ok(reasons.length > 0);
    for (const reason of reasons) assert.match(reason, /a site that another server serves has none/);
  });

  test("over http it is asked over HTTP/1.1 alone, and says so where HTTP/2 is asked about", () => {
    const checks = report.rows.flatMap((row) => row.checks);
    const broken = checks.filter(({ reason }) => reason?.includes("ERR_HTTP2") === true);
    assert.deepEqual(
      broken.map(({ name }) => name),
      [],
    );
    const second = checks.filter(({ name }) => name.endsWith("(HTTP/2)"));
    assert.ok(second.length > 0);
    assert.deepEqual([...new Set(second.map(({ state }) => state))], ["not applicable"]);
  });

  test("what is found is SARIF as its schema says", async () => {
    assertSarif(await toSarif(report));
  });

  for (const [framework, usage] of [
    ["Express", expressUsage],
    ["Node.js", nodeUsage],
  ] as const)
    test(`with the mends for ${framework} in their places, each of those checks passes`, async () => {
      const { contract } = await load("http://127.0.0.1:1");
      const mends = findMends(
        report.rows,
        [{ name: framework, because: "asked for" }],
        mendSettings(contract),
      );
      const { folder, remove } = mendedFolder(mends, usage);
      try {
        const mended = await auditOf(folder, 20_000);
        const left = planted
          .filter(([mistake]) => !unmended.has(mistake))
          .flatMap(([, row, checks]) => checks.map((name) => [row, name, stateOf(mended, row, name)]))
          .filter(([, , state]) => state !== "passed");
        assert.deepEqual(left, []);
        for (const name of ["users A and B: their own is allowed", "what is for everyone needs no token"])
          assert.equal(stateOf(mended, "API-1", name), "passed");
        assert.equal(stateOf(mended, "API-3", "what the contract accepts is accepted"), "passed");
        assert.equal(stateOf(mended, "API-5", "allowed origins are served"), "passed");
      } finally {
        remove();
      }
    });
});
